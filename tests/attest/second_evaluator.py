"""A second evaluator: every number of a package made from its JSON alone, by other means than the engine's.

Exact fractions throughout; powers and logarithms with 50 decimal digits. No DuckDB, no numpy, and nothing of mingjian: what it
knows of the rules stands in the package, and what it knows of their meaning is written here once more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

PRECISE = Context(prec=50)
TWELVE = 10**12
MONTHS = {"year": 12, "half": 6, "quarter": 3, "month": 1}

Span = tuple[date, date]  # the first day of a period, and the first day after it
Row = Mapping[str, Any]


def span_of(text: str) -> Span:
    """The days of a period, a month or longer."""
    year = int(text[:4])
    if "Q" in text:
        first, months = 3 * int(text[-1]) - 2, 3
    elif "H" in text:
        first, months = 6 * int(text[-1]) - 5, 6
    elif "-" in text:
        first, months = int(text[5:]), 1
    else:
        first, months = 1, 12
    return date(year, first, 1), shifted(date(year, first, 1), months)


def shifted(day: date, months: int) -> date:
    """The first of the month that is so many months away."""
    total = day.year * 12 + day.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def containing(span: Span, kind: str) -> Span:
    months = MONTHS[kind]
    first = date(span[0].year, (span[0].month - 1) // months * months + 1, 1)
    return first, shifted(first, months)


def before(span: Span) -> Span:
    months = (span[1].year - span[0].year) * 12 + span[1].month - span[0].month
    return shifted(span[0], -months), span[0]


class Evaluator:
    """The numbers of one package. ``value`` gives a fraction, or None for no value."""

    def __init__(self, package: Mapping[str, Any]) -> None:
        said = package["credential"]["credentialSubject"]
        self.subject, self.type = said["subject"], said["subjectType"]
        scheme = package["scheme"]
        self.zone = ZoneInfo(scheme["zone"])
        tables = ("evidence", "measures", "indices", "parameters", "derivations", "subjects")
        self.evidence, self.measures, self.indices, self.parameters, self.derivations, self.subjects = (
            dict(scheme[name]) for name in tables
        )
        kinds = {e["header"]["index"]: e["header"]["kind"] for e in package["entries"]}
        self.rows: dict[str, list[Row]] = {}
        self.stated_subjects: list[Row] = []
        for proof in package["rows"]:
            kind = kinds[proof["entry"]]
            if kind == "subject":
                self.stated_subjects.append(proof["values"])
            else:
                self.rows.setdefault(kind, []).append(self._typed(kind, proof))
        self.given: dict[Any, dict[str, Fraction | None]] = {}  # of each number its parts: "" is the number itself
        self.peers: dict[tuple[str, str], dict[str, Fraction]] = {}
        for v in (proof["values"] for proof in package["attested"]):
            found = number(v)
            if v["subject"]:
                at = (v["measure"], span_of(v["period"])[0], v["member"])
                self.given.setdefault(at, {})[v["part"]] = found
            elif found is not None:
                self.peers.setdefault((v["measure"], v["member"]), {})[v["part"]] = found
        self.given_names = set(package["contents"]["given"])
        self.value: Callable[[str, Span, str], Fraction | None] = cache(self._value)
        self.derived: Callable[[str, date], list[Row]] = cache(self._derived)

    # -- rows -----------------------------------------------------------------------------------------------------------
    def _typed(self, kind: str, proof: Mapping[str, Any]) -> Row:
        row: dict[str, Any] = {"_place": (proof["entry"], proof["row"])}
        for name, field in dict(self.evidence[kind]["fields"]).items():
            row[name] = self._cell(field["type"], proof["values"].get(name))
        dated = self.evidence[kind]["date"]
        if dated:
            day = row[dated]
            row["_date"] = span_of(day)[0] if isinstance(day, str) else day
        return row

    def _cell(self, kind: str, text: Any) -> Any:
        if text is None or isinstance(text, bool):
            return text
        if kind == "series":
            return [None if value is None else Fraction(value) for value in text]
        if kind in ("integer", "quantity", "decimal"):
            return Fraction(text)
        if kind == "date":
            return date.fromisoformat(text)
        if kind == "time":
            return datetime.fromisoformat(text).astimezone(self.zone).date()
        return text

    def _base(self, kind: str) -> Any:
        while kind in self.derivations:
            kind = self.derivations[kind]["of"]
        return self.evidence[kind]

    def _all(self, kind: str, end: date) -> Sequence[Row]:
        return self.derived(kind, end) if kind in self.derivations else self.rows.get(kind, [])

    def reduced_rows(self, measure: Any, kind: str, span: Span, member: str) -> list[Row]:
        """The rows of a kind that a measure of the subject reduces."""
        base, (first, end) = self._base(kind), span
        found = [row for row in self._all(kind, end) if not base["date"] or row["_date"] < end]
        if base["date"] and measure["window"] == "in_period":
            found = [row for row in found if row["_date"] >= first]
        if base["date"] and measure["window"] == "state_at_end":
            thread = [k for k in base["key"] if k != base["date"]]
            found.sort(key=lambda row: (row["_date"], row["_place"]))
            found = list({tuple(row[k] for k in thread): row for row in found}.values())
        below = [t for t, of in self.subjects.items() if self.type in self._upwards(t)]
        pooled = measure["rollup"] == "pool" and len(below) > 1
        takes = set(below) if pooled else {self.type}
        fields = dict(base["fields"])
        name = next(f for f in base["subjects"] if takes & set(fields[f]["of"]))
        if pooled:
            found = [row for row in found if self._stands(row[name], row.get("_date", end - timedelta(days=1)))]
        else:
            found = [row for row in found if row[name] == self.subject]
        return [row for row in found if row[measure["each"]] == member] if measure["each"] else found

    def _upwards(self, kind: str) -> Iterator[str]:
        while kind:
            yield kind
            kind = self.subjects[kind]["parent"]

    def _stands(self, name: str, day: date) -> bool:
        """Whether the subject named is or stands under this one on a day."""
        while name:
            states = [s for s in self.stated_subjects if s["id"] == name and s["from"] <= day.isoformat()]
            if not states:
                return False
            state = max(states, key=lambda s: s["from"])
            gone = state["until"] is not None and state["until"] <= day.isoformat()
            if gone:
                name = state["into"] or ""
            elif name == self.subject:
                return True
            else:
                name = state["parent"] or ""
        return False

    # -- numbers --------------------------------------------------------------------------------------------------------
    def _value(self, name: str, span: Span, member: str) -> Fraction | None:
        declared = self.measures.get(name) or self.indices[name]
        span = containing(span, declared["period"])
        if name in self.given_names and not self._follows(declared, span, member):
            return self.given.get((name, span[0], member), {}).get("")
        if name in self.indices:
            return self._index(self.indices[name], span, member)
        return self.finished(declared["expr"], declared, span, member if declared["each"] else "")

    def _follows(self, declared: Any, span: Span, member: str) -> bool:
        """Whether the number is to be made from the figures that stand under it."""
        if "root" in declared:
            return any(name in self.peers for name in ((node["measure"], "") for node in nodes(declared["root"])))
        figures = len(self.given.get((declared["id"], span[0], member), {})) > 1
        return figures or not any(reductions(declared["expr"]))

    def finished(self, expr: Any, measure: Any, span: Span, member: str) -> Any:
        """An expression at the level of the subject."""
        op, _, _, *args = expr
        if op in ("sum", "mean", "min", "max", "count", "distinct", "rows"):
            if measure["id"] in self.given_names:
                return self._figure(expr, measure, span, member)
            return self._reduced(op, args, measure, span, member)
        if op in ("measure", "previous"):
            there = before(span) if op == "previous" else span
            if op == "previous" and measure["id"] in self.given_names:
                there = containing(there, (self.measures.get(args[0]) or self.indices[args[0]])["period"])
                return self.given.get((args[0], there[0], member), {}).get("")
            broken_down = args[0] in self.measures and self.measures[args[0]]["each"]
            return self.value(args[0], there, member if broken_down else "")
        return self.operation(expr, span, lambda x: self.finished(x, measure, span, member))

    def _figure(self, expr: Any, measure: Any, span: Span, member: str) -> Fraction | None:
        """What a reduction came to, as the snapshot says: named by its place among those of the formula."""
        said, place = self.given[measure["id"], span[0], member], distinct(reductions(measure["expr"])).index(expr)
        if expr[0] != "mean":
            return said[f"{place}.value"]
        total, count = said[f"{place}.sum"], said[f"{place}.count"]
        return total / count if total is not None and count else None

    def _reduced(self, op: str, args: Any, measure: Any, span: Span, member: str) -> Any:
        value, where = args
        kind = value if op == "rows" else value[2]
        rows = self.reduced_rows(measure, kind, span, member)
        if where is not None:
            rows = [row for row in rows if self.at_row(where, row, span) is True]
        if op == "rows":
            return Fraction(len(rows))
        found = [v for v in (self.at_row(value, row, span) for row in rows) if v is not None]
        if op == "count":
            return Fraction(len(found))
        if op == "distinct":
            return Fraction(len(set(found)))
        if not found:
            return None
        if op in ("min", "max"):
            return min(found) if op == "min" else max(found)
        if value[1] == "score":
            found = [twelve_decimals(v) for v in found]
        return sum(found, Fraction()) / (len(found) if op == "mean" else 1)

    def at_row(self, expr: Any, row: Row, span: Span) -> Any:
        """An expression's value for one row."""
        if expr[0] == "field":
            return row[expr[4]]
        return self.operation(expr, span, lambda x: self.at_row(x, row, span))

    def operation(self, expr: Any, span: Span, inner: Callable[[Any], Any]) -> Any:
        """What an operation comes to, ``inner`` giving its operands."""
        op, kind, _, *args = expr
        if op == "lit":
            return literal(args[0], kind)
        if op == "bound":
            return span[0] if args[0] == "period_start" else span[1] - timedelta(days=1)
        if op in ("param", "lookup"):
            value = self._parameter(args[0], span)
            if op == "param":
                return None if value is None else Fraction(value)
            key = inner(args[1])
            return Fraction(dict(value)[key]) if value is not None and key in dict(value) else None
        if op in ("coalesce", "least", "greatest"):
            return chosen(op, [inner(x) for x in args[0]])
        if op == "where":
            condition, a, b = (inner(x) for x in args)
            return None if condition is None else a if condition else b
        if op == "isin":
            text, among = inner(args[0]), [inner(x) for x in args[1]]
            return None if text is None else text in among
        operands = [inner(x) for x in args]
        if op in ("total", "missing"):
            return of_series(op, operands[0])
        if op in ("and", "or", "not", "isnull"):
            return logic(op, operands)
        return None if None in operands else arithmetic(op, *operands)

    def _parameter(self, name: str, span: Span) -> Any:
        last = (span[1] - timedelta(days=1)).isoformat()
        inside = [dated for dated in self.parameters[name]["values"] if dated["start"] <= last]
        return max(inside, key=lambda dated: dated["start"])["value"] if inside else None

    # -- indices --------------------------------------------------------------------------------------------------------
    def _index(self, index: Any, span: Span, member: str) -> Fraction | None:
        tree = self._grown(index["root"], span)
        return self._node(next(n for n in nodes(tree) if n["id"] == member) if member else tree, span)

    def _grown(self, node: Any, span: Span) -> Any:
        if not node["members"]:
            return {**node, "leaf": "", "children": [self._grown(child, span) for child in node["children"]]}
        base = self.evidence[node["members"]]
        rows = [row for row in self.rows.get(node["members"], []) if not base["date"] or row["_date"] < span[1]]
        rows.sort(key=lambda row: (row.get("_date", date.min), row["_place"]))
        key = next(k for k in base["key"] if k != base["date"])
        latest = {row[key]: row for row in rows}
        plain = {**node, "members": "", "children": []}
        leaves = [
            {**plain, "id": name, "leaf": name, "weight": row[node["member_weight"]], "group": row.get(node["group"])}
            for name, row in latest.items()
        ]
        if not node["group"]:
            return {**node, "leaf": "", "measure": "", "children": leaves}
        assert not node["group_weight"]
        groups = {leaf["group"]: [x for x in leaves if x["group"] == leaf["group"]] for leaf in leaves}
        inner = [
            {**plain, "id": g, "leaf": "", "measure": "", "weight": sum(x["weight"] for x in xs), "children": xs}
            for g, xs in groups.items()
        ]
        return {**node, "leaf": "", "measure": "", "children": inner}

    def _node(self, node: Any, span: Span) -> Fraction | None:
        if node["measure"]:
            return self._placed(node, self.value(node["measure"], span, node["leaf"]))
        parts = [(Fraction(child["weight"]), self._node(child, span)) for child in node["children"]]
        there = [(weight, value) for weight, value in parts if value is not None and weight]
        total = sum((weight for weight, _ in there), Fraction())
        if not total:
            return None
        if node["aggregate"] == "arithmetic":
            return sum((w * v for w, v in there), Fraction()) / total
        if any(v <= 0 for _, v in there):
            return None
        logs = [PRECISE.multiply(decimal(w / total), PRECISE.ln(decimal(v))) for w, v in there]
        total_log = Decimal(0)
        for one in logs:
            total_log = PRECISE.add(total_log, one)
        return Fraction(PRECISE.exp(total_log))

    def _placed(self, leaf: Any, value: Fraction | None) -> Fraction | None:
        """A leaf on its own scale: as it is, or among peers by what is said of them."""
        if leaf["normalise"] == "none" or value is None:
            return value
        peers = self.peers[leaf["measure"], leaf["leaf"]]
        low, high = peers["peers.minimum"], peers["peers.maximum"]
        if leaf["normalise"] == "minmax":
            return None if low == high else 100 * (value - low) / (high - low)
        assert leaf["normalise"] == "zscore"
        return (value - peers["peers.mean"]) / peers["peers.sd"] if peers["peers.sd"] else None

    # -- derivations ------------------------------------------------------------------------------------------------------
    def _derived(self, kind: str, end: date) -> list[Row]:
        derivation = self.derivations[kind]
        base = self._base(kind)
        rows = [row for row in self._all(derivation["of"], end) if row["_date"] < end]
        rows = sorted(rows, key=lambda row: (row["_date"], [str(row[k]) for k in base["key"]]))
        made = [dict(row) for row in rows]
        for name, expr in derivation["expr"]:
            for row, value in zip(made, self._column(expr, rows, derivation, end), strict=True):
                row[name] = value
        return made

    def _column(self, expr: Any, rows: list[Row], derivation: Any, end: date) -> list[Any]:
        op, _, _, *args = expr
        if op == "split":
            return self._split(args, rows, derivation, end)
        if op in ("carry_whole", "carry_rest"):
            return self._carry(op, args, rows, derivation, end)
        if op in ("least", "greatest", "coalesce"):
            columns = [self._column(x, rows, derivation, end) for x in args[0]]
            return [chosen(op, list(values)) for values in zip(*columns, strict=True)]
        if op in ("add", "sub", "mul", "where"):
            columns = [self._column(x, rows, derivation, end) for x in args]
            spans = [self._span(row, derivation) for row in rows]
            return [
                self.operation([op, expr[1], None, *range(len(values))], span, lambda i, v=values: v[i])
                for values, span in zip(zip(*columns, strict=True), spans, strict=True)
            ]
        return [self.at_row(expr, row, self._span(row, derivation)) for row in rows]

    def _span(self, row: Row, derivation: Any) -> Span:
        return containing((row["_date"], row["_date"]), derivation["period"])

    def _split(self, args: Any, rows: list[Row], derivation: Any, end: date) -> list[Any]:
        total, over, weight = args
        (op, _, _, value, where), kind = total, total[3][2]
        assert (op, derivation["split"]) == ("sum", "pro_rata")
        base = self._base(kind)
        fields = dict(base["fields"])
        sharing = dict(self._base(derivation["id"])["fields"])[over[4]]["of"]
        fitting = [f for f in base["subjects"] if set(fields[f]["of"]) & set(sharing)]
        about = over[4] if over[4] in fitting else fitting[0]
        weights = self._column(weight, rows, derivation, end)
        shares: dict[Any, list[int]] = {}
        for i, row in enumerate(rows):
            shares.setdefault((row[over[4]], self._span(row, derivation)), []).append(i)
        result: list[Any] = [None] * len(rows)
        for (subject, span), places in shares.items():
            there = [r for r in self._all(kind, end) if r[about] == subject and span[0] <= r["_date"] < span[1]]
            there = [r for r in there if where is None or self.at_row(where, r, span) is True]
            found = [v for v in (self.at_row(value, r, span) for r in there) if v is not None]
            if found:
                parts = largest_remainder(int(sum(found)), [int(weights[i] or 0) for i in places])
                for i, part in zip(places, parts, strict=True):
                    result[i] = Fraction(part)
        return result

    def _carry(self, op: str, args: Any, rows: list[Row], derivation: Any, end: date) -> list[Any]:
        amounts, sizes = (self._column(x, rows, derivation, end) for x in args)
        base = self._base(derivation["id"])
        rests: dict[Any, Fraction] = {}
        result = []
        for row, amount, size in zip(rows, amounts, sizes, strict=True):
            thread = tuple(row[k] for k in base["key"] if k != base["date"])
            if amount is None or size is None:  # not known, and the remainder passes it by
                rests[thread] = rests.get(thread, Fraction()) + (amount or 0)
                result.append(None)
                continue
            whole, rest = divmod(rests.get(thread, Fraction()) + amount, size)
            rests[thread] = rest
            result.append(Fraction(whole) if op == "carry_whole" else rest)
        return result


def of_series(op: str, values: Sequence[Fraction | None] | None) -> Fraction | None:
    if values is None:
        return None
    gaps = sum(value is None for value in values)
    if op == "missing":
        return Fraction(gaps)
    return None if gaps else sum((value for value in values if value is not None), Fraction())


def number(said: Mapping[str, Any]) -> Fraction | None:
    """The number that a statement or a snapshot row states."""
    if said.get("exact") is not None:
        return Fraction(said["exact"])
    return Fraction(float(said["double"])) if said.get("double") is not None else None


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in node["children"]:
        yield from nodes(child)


def reductions(expr: Any) -> Iterator[Any]:
    """The reductions of rows in a formula."""
    if not isinstance(expr, list):
        return
    if expr and expr[0] in ("sum", "mean", "min", "max", "count", "distinct", "rows") and len(expr) == 5:
        yield expr
    for inner in expr:
        yield from reductions(inner)


def distinct(found: Iterator[Any]) -> list[Any]:
    """Each once, in the order of its first."""
    once: list[Any] = []
    for one in found:
        if one not in once:
            once.append(one)
    return once


def literal(text: str, kind: str) -> Any:
    if kind == "exact":
        return Fraction(text)
    if kind == "score":
        return Fraction(float(text))
    if kind == "flag":
        return text == "true"
    return date.fromisoformat(text) if kind == "date" else text


def chosen(op: str, values: list[Any]) -> Any:
    if op == "coalesce":
        return next((v for v in values if v is not None), None)
    if None in values:
        return None
    return min(values) if op == "least" else max(values)


def logic(op: str, values: list[Any]) -> bool | None:
    if op == "isnull":
        return values[0] is None
    if op == "not":
        return None if values[0] is None else not values[0]
    decides = op == "or"
    if decides in values:
        return decides
    return None if None in values else not decides


def arithmetic(op: str, a: Any, b: Any = None) -> Any:
    if op in ("eq", "ne", "lt", "le", "gt", "ge"):
        return {"eq": a == b, "ne": a != b}[op] if op in ("eq", "ne") else ordered(op, a, b)
    if op == "days":
        return Fraction(a.days)
    if op in ("div", "floordiv"):
        return None if b == 0 else a / b if op == "div" else Fraction(a // b)
    if op == "pow":
        return Fraction(PRECISE.power(decimal(a), decimal(b)))
    return a + b if op == "add" else a - b if op == "sub" else a * b


def ordered(op: str, a: Any, b: Any) -> bool:
    return bool(a < b if op == "lt" else a <= b if op == "le" else a > b if op == "gt" else a >= b)


def decimal(value: Fraction) -> Decimal:
    return PRECISE.divide(Decimal(value.numerator), Decimal(value.denominator))


def twelve_decimals(value: Fraction) -> Fraction:
    """Rounded to 12 decimals, a half away from zero."""
    units = (2 * abs(value.numerator) * TWELVE + value.denominator) // (2 * value.denominator)
    return Fraction(units if value >= 0 else -units, TWELVE)


def largest_remainder(total: int, weights: list[int]) -> list[int]:
    """``total`` in whole parts by weight; what is left goes to the largest remainders, the first of equals first."""
    asked = sum(weights)
    if not asked:
        return [0] * len(weights)
    parts = [total * w // asked for w in weights]
    by_rest = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % asked), i))
    for i in by_rest[: total - sum(parts)]:
        parts[i] += 1
    return parts
