"""Whether formulas and indices can have what they read: about whom, for which period, by which members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import cast

from mingjian.base.values import KINDS
from mingjian.declare._checker import Checker
from mingjian.declare._expressions import Expr, text, walk
from mingjian.declare._fields import row_fields, source_type
from mingjian.declare._model import Derivation, EvidenceType, Field, Index, Measure, Node, Scheme
from mingjian.declare._record import KIND_OF_FIELD
from mingjian.declare._section import CODE_FILE, Report, near

_OF_ROWS = ("split", "carry_whole", "carry_rest")


def types_with_value(scheme: Scheme, item: Measure | Index) -> tuple[str, ...]:
    """The subject types that have a value of it: its own and, when it rolls up, those above."""
    if isinstance(item, Index) or item.rollup == "none" or item.of not in scheme.subjects:
        return (item.of,)
    return upwards(scheme, item.of)


def rank(period: str) -> int:
    """Longer periods rank lower."""
    return [str(kind) for kind in KINDS].index(period)


def check_formulas(scheme: Scheme, report: Report) -> None:
    """Every fault of measures, derivations and indices of a scheme whose subject types lead to the top."""
    checker = _Checker(scheme, report)
    for measure in scheme.measures.values():
        checker.measure(measure)
    for derivation in scheme.derivations.values():
        checker.derivation(derivation)
    for index in scheme.indices.values():
        checker.index(index)


class _Checker(Checker):
    def coded(self, rule: str, message: str, item: Measure | Derivation, remedy: str = "") -> None:
        self.report.add(rule, message, CODE_FILE, item.code_line, remedy)

    # -- measures -------------------------------------------------------------------------------------------------
    def measure(self, measure: Measure) -> None:
        nodes = list(walk(measure.expr))
        self.words(measure, nodes)
        self.sealed(measure, nodes)
        for kind in _kinds(nodes):
            source = source_type(self.scheme, kind)
            if source is not None:
                self.rows(measure, kind, source)
        self.members(measure, _kinds(nodes))
        for name in dict.fromkeys(str(n.args[0]) for n in nodes if n.op in ("measure", "previous")):
            item = self.scheme.measures.get(name) or self.scheme.indices.get(name)
            if item is not None:
                self.reads(measure, item)
        if any(node.op in _OF_ROWS for node in nodes):
            self.coded(
                "bad-formula", f"{measure.id} splits or carries rows", measure, "that makes rows: declare a derivation"
            )
        if measure.certified and measure.expr.kind == "score":
            message = f"{measure.id} is certified, but its formula is not exact"
            self.coded("not-exact", message, measure, "a power, a double or a division within rows makes it a score")

    def rows(self, measure: Measure, kind: str, source: EvidenceType) -> None:
        below = {t for t in self.scheme.subjects if measure.of in upwards(self.scheme, t)}
        wanted = below if measure.rollup == "pool" else {measure.of}
        about = {t for name in source.subjects if name in source.fields for t in source.fields[name].of}
        if measure.of in self.scheme.subjects and not wanted & about:
            message = f"{measure.id} is of {measure.of}, and no row of {kind} is about one"
            remedy = (
                'rollup = "pool" takes the rows of those below' if below & about else "give it such a subject field"
            )
            self.fault("not-about", message, measure.line, remedy)
        if not source.date and kind in self.scheme.evidence:
            message = f"{measure.id} takes rows of a period, and those of {kind} have no date"
            self.fault("no-date", message, measure.line, f"[evidence.{source.id}] date = ...")
        if measure.window == "state_at_end" and not source.key:
            message = f"{measure.id} takes the state at the end, and rows of {kind} have no key to follow"
            self.fault("bad-window", message, measure.line, f"[evidence.{source.id}] key = [...]")

    def members(self, measure: Measure, kinds: Iterable[str]) -> None:
        for kind in kinds if measure.each else ():
            field = row_fields(self.scheme, kind).get(measure.each)
            if field is None:
                message = f"{measure.id} has a value for each {measure.each}, which {kind} does not have"
                self.fault("no-member", message, measure.line, near(measure.each, [*row_fields(self.scheme, kind)]))
            elif field.type == "series":
                message = f"{measure.id} has a value for each {measure.each}, which is a series"
                self.fault("no-member", message, measure.line, "break it down by another field")

    def reads(self, measure: Measure, item: Measure | Index) -> None:
        here, there = (rank(measure.period), rank(item.period))
        if here < there:
            message = f"{measure.id} is by {measure.period} and reads {item.id}, which is by {item.period}"
            self.coded("shorter-period", message, measure, "a period has one value only of its own or a longer kind")
        wanted = types_with_value(self.scheme, measure) if measure.rollup == "pool" else (measure.of,)
        without = [
            t
            for t in wanted
            if t not in types_with_value(self.scheme, item) and {t, item.of} <= {*self.scheme.subjects}
        ]
        if without:
            message = f"{measure.id} reads {item.id} for a {without[0]}, which has no value of it"
            self.coded("no-value", message, measure, f"{item.id} is of {item.of}; declare how it rolls up")
        each = item.each if isinstance(item, Measure) else ""
        if each and each != measure.each:
            message = f"{measure.id} reads {item.id}, which has a value for each {each}"
            self.coded("no-member", message, measure, f'each = "{each}", or an index over the members')

    # -- derivations ----------------------------------------------------------------------------------------------
    def derivation(self, derivation: Derivation) -> None:
        line, fields = derivation.line, row_fields(self.scheme, derivation.of)
        sources = [*self.scheme.evidence, *self.scheme.derivations]
        if derivation.of not in sources:
            self.unknown("evidence type", derivation.of, sources, derivation.id, line)
        nodes = [node for expr in derivation.expr.values() for node in walk(expr)]
        self.words(derivation, nodes)
        self.sealed(derivation, nodes)
        if not derivation.units:
            self.fault("missing-key", f"{derivation.id} declares no results", line, 'results = { wh = "Wh" }')
        if derivation.expr and derivation.units and set(derivation.expr) != set(derivation.units):
            made, told = ", ".join(sorted(derivation.expr)), ", ".join(sorted(derivation.units))
            self.coded("wrong-results", f"{derivation.id} returns {made} and declares {told}", derivation)
        for name in derivation.units:
            if name in fields:
                self.fault("two-declarations", f"result {name} of {derivation.id} is a field of its rows", line)
        splits = any(node.op == "split" for node in nodes)
        if derivation.expr and splits != bool(derivation.split):
            message = (
                f"{derivation.id} {'splits and declares no rule' if splits else 'declares a split and makes none'}"
            )
            self.fault("bad-split", message, line, 'split = "pro_rata", "priority" or "time"')
        self.order(derivation, fields)
        for node in nodes:
            if node.op == "split":
                self.shared(derivation, *cast(tuple[Expr, Expr, Expr], node.args))
        source = source_type(self.scheme, derivation.of)
        if source is not None and not source.date:
            message = f"{derivation.id} works by {derivation.period}, and rows of {derivation.of} have no date"
            self.fault("no-date", message, line, f"[evidence.{source.id}] date = ...")

    def shared(self, derivation: Derivation, total: Expr, over: Expr, weight: Expr) -> None:
        """A total is of a subject, and rows share it by naming that subject."""
        field = row_fields(self.scheme, str(over.args[0])).get(str(over.args[1]))
        if field is None or field.type != "subject":
            self.coded("bad-split", f"{derivation.id} splits over {text(over)}, which is no subject", derivation)
            return
        for kind in _kinds(walk(total)):
            source = source_type(self.scheme, kind)
            about = {t for name in source.subjects for t in source.fields[name].of} if source else set()
            if not about & set(field.of):
                message = f"{derivation.id} splits {text(total)} over {text(over)}, and no row of {kind} is about one"
                self.coded("not-about", message, derivation)

    def order(self, derivation: Derivation, fields: Mapping[str, Field]) -> None:
        line, ranks = derivation.line, {"priority": ("exact",), "time": ("date", "text")}.get(derivation.split)
        if ranks is None:
            if derivation.order:
                self.fault("bad-split", f"{derivation.id} has an order and no split by priority or time", line)
        elif derivation.order not in fields:
            message = f"{derivation.id} splits by {derivation.split} in order of no field {derivation.order!r}"
            self.fault("unknown-field", message, line, near(derivation.order, [*fields]))
        elif KIND_OF_FIELD[fields[derivation.order].type] not in ranks or fields[derivation.order].label == "sealed":
            self.fault("bad-split", f"{derivation.id} cannot split by {derivation.split} of {derivation.order}", line)

    # -- words inside formulas --------------------------------------------------------------------------------------
    def words(self, item: Measure | Derivation, nodes: Iterable[Expr]) -> None:
        """Texts in a formula that name a choice or an entry of a table must be among those declared."""
        for node in nodes:
            if node.op == "lookup":
                table, key = str(node.args[0]), cast(Expr, node.args[1])
                known = self.table(table)
                if key.op == "lit" and known and str(key.args[0]) not in known:
                    self.word(item, f"{table} has no entry {key.args[0]!r}", str(key.args[0]), known)
            for field, word in _compared(node):
                choices = row_fields(self.scheme, str(field.args[0]))[str(field.args[1])].choices
                if choices and word not in choices:
                    self.word(item, f"{text(field)} is never {word!r}", word, choices)

    def sealed(self, item: Measure | Derivation, nodes: Iterable[Expr]) -> None:
        """A number must be open to those who may see it, and so all it is made of."""
        read = [(str(node.args[0]), str(node.args[1])) for node in nodes if node.op == "field"]
        each = item.each if isinstance(item, Measure) else ""
        read += [(kind, each) for kind in _kinds(nodes) if each]
        for kind, name in dict.fromkeys(read):
            field = row_fields(self.scheme, kind).get(name)
            if field is not None and field.label == "sealed":
                message = f"{item.id} reads {kind}.{name}, which is sealed"
                self.coded("bad-sealed", message, item, "nothing stands on what only few may open")

    def word(self, item: Measure | Derivation, message: str, word: str, known: Mapping[str, object]) -> None:
        self.coded("unknown-word", f"in {item.id}, {message}", item, near(word, known))

    def table(self, name: str) -> dict[str, Decimal]:
        parameter = self.scheme.parameters.get(name)
        values = [v.value for v in parameter.values] if parameter else []
        return {key: number for v in values if not isinstance(v, Decimal) for key, number in v.items()}

    # -- indices ----------------------------------------------------------------------------------------------------
    def index(self, index: Index) -> None:
        seen: set[str] = set()
        for node in index.nodes():
            if node.id in seen:
                self.fault("two-nodes", f"{index.id} has two nodes {node.id}", node.line, "give one an id of its own")
            seen.add(node.id)
            self.node(index, node)

    def node(self, index: Index, node: Node) -> None:
        who = f"{index.id}, node {node.id}," if node is not index.root else index.id
        if bool(node.measure) == bool(node.children):
            self.fault("bad-node", f"{who} is neither a measure nor a group of nodes, or both", node.line)
        if node.weight <= 0:
            self.fault("bad-value", f"{who} has weight {node.weight}", node.line, "weights are above zero")
        if node.normalise == "goalposts":
            if node.low is None or node.high is None or node.low >= node.high:
                self.fault("bad-goalposts", f"{who} needs low below high", node.line, "low = 0, high = 100")
        elif node.low is not None or node.high is not None:
            self.fault("bad-goalposts", f"{who} has low or high", node.line, 'only normalise = "goalposts" has them')
        self.grown(who, node)
        if node.measure:
            self.leaf(who, index, node)

    def leaf(self, who: str, index: Index, node: Node) -> None:
        measure = self.scheme.measures.get(node.measure)
        if measure is None:
            self.unknown("measure", node.measure, self.scheme.measures, who, node.line)
            return
        if {index.of, measure.of} <= {*self.scheme.subjects} and index.of not in types_with_value(self.scheme, measure):
            message = f"{who} reads {measure.id}, which no {index.of} has"
            self.fault("no-value", message, node.line, f"it is of {measure.of}; rollup gives it to the types above")
        if rank(index.period) < rank(measure.period):
            message = f"{who} is by {index.period} and reads {measure.id}, which is by {measure.period}"
            self.fault("shorter-period", message, node.line)
        targets = [row_fields(self.scheme, kind).get(measure.each) for kind in _kinds(walk(measure.expr))]
        if measure.each and not node.members:
            message = f"{who} reads {measure.id}, which has a value for each {measure.each}"
            self.fault("no-member", message, node.line, "members = the dimension")
        elif node.members and not all(field and field.to == node.members for field in targets):
            message = f"{who} has members {node.members}, and {measure.id} has no value for each of them"
            self.fault("no-member", message, node.line, f"each = a field of type ref to {node.members}")

    def grown(self, who: str, node: Node) -> None:
        """A node whose children come from the rows of a dimension."""
        named = {"member_weight": node.member_weight, "group": node.group, "group_weight": node.group_weight}
        if not node.members:
            for key in [key for key, value in named.items() if value]:
                self.fault("bad-node", f"{who} has {key} and no members", node.line)
            return
        dimension = self.scheme.evidence.get(node.members)
        if dimension is None or not dimension.dimension:
            known = [e.id for e in self.scheme.evidence.values() if e.dimension]
            self.unknown("dimension", node.members, known, who, node.line)
            return
        for key, name in named.items():
            if name and name not in dimension.fields:
                message = f"{who} has {key} = {name!r}, no field of {dimension.id}"
                self.fault("unknown-field", message, node.line, near(name, dimension.fields))
            elif name and dimension.fields[name].label == "sealed":
                message = f"{who} has {key} = {name!r}, which is sealed"
                self.fault("bad-sealed", message, node.line, "nothing stands on what only few may open")
            elif name and key != "group" and KIND_OF_FIELD[dimension.fields[name].type] != "exact":
                self.fault("not-numeric", f"{who} has {key} = {name!r}, which is no number", node.line)


def _kinds(nodes: Iterable[Expr]) -> list[str]:
    """The evidence types and derivations whose rows a formula reduces, in order."""
    return list(dict.fromkeys(str(node.args[0]) for node in nodes if node.op in ("field", "rows")))


def _compared(node: Expr) -> Iterator[tuple[Expr, str]]:
    """The fields that a comparison holds against a constant text, with the text."""
    if node.op == "isin":
        field, words = cast(tuple[Expr, tuple[Expr, ...]], node.args)
    elif node.op in ("eq", "ne"):
        left, right = cast(tuple[Expr, Expr], node.args)
        field, words = (left, (right,)) if left.op == "field" else (right, (left,))
    else:
        return
    if field.op == "field":
        yield from ((field, str(word.args[0])) for word in words if word.op == "lit" and word.kind == "text")


def upwards(scheme: Scheme, kind: str) -> tuple[str, ...]:
    """A subject type and those above it, as far as they are declared."""
    found: list[str] = []
    while kind in scheme.subjects and kind not in found:
        found.append(kind)
        kind = scheme.subjects[kind].parent
    return tuple(found)
