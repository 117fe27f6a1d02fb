"""Why a number is what it is: a tree that opens down to the rows of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mingjian.base.values import Period, number_text, unit_word
from mingjian.declare import Scheme, Title, evidence_types
from mingjian.reckon.measures import Explanation, ParameterSeen, ReductionSeen, RowSeen
from mingjian.record.evidence import text_of
from mingjian.web._house import AtDesk, Home
from mingjian.web._page import Speech
from mingjian.web.portraits._portrait import address
from mingjian.workspace import Explained

router: Final = APIRouter()
_OPEN: Final = 2  # levels that are open at first


@router.get("/why/{subject}/{measure}")
def why(
    request: Request, house: Home, desk: AtDesk, subject: str, measure: str, period: str, member: str = ""
) -> Response:
    """The tree of one number."""
    when = Period.parse(period)
    found = desk.explain(measure, subject, when, member)
    told = house.office.now().hierarchy.subject(subject)
    speech = house.pages.speech(request)
    telling = _Telling(found, house.scheme, speech, desk.titles(when))
    return house.pages.html(
        request,
        "portraits/why.html",
        subject=told,
        root=found.root,
        title=telling.name(found.root),
        value=telling.said(found.root),
        unit=unit_word(found.root.value.unit, speech.language) if found.root.value.number is not None else "",
        nodes=telling.parts(found.root, 1),
        period=when,
        back=address(subject, when),
        file=house.workspace.ledger.origin,
    )


@dataclass(frozen=True, slots=True)
class Branch:
    """A node as the macro ``tree`` draws it."""

    text: str
    value: str
    nodes: tuple[Branch, ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class _Telling:
    found: Explained
    scheme: Scheme
    speech: Speech
    titles: Mapping[str, Title]

    def name(self, node: Explanation) -> str:
        """What a number is called; a part of a breakdown by its member."""
        member = node.value.member
        title = self.titles.get(member) if member else None
        own = node.title.text(self.speech.language) or node.value.measure
        named = title.text(self.speech.language) if title is not None else own
        return named if named == own else f"{named} · {own}"

    def said(self, node: Explanation) -> str:
        """The number as it is printed, or why there is none."""
        if node.value.number is None:
            return self.speech.one_of("portraits.status", node.value.status)
        return node.value.printed

    def parts(self, node: Explanation, level: int) -> tuple[Branch, ...]:
        """Everything under a number."""
        formula = Branch(self._formula(node), "")
        parameters = tuple(map(self._parameter, node.parameters))
        reductions = tuple(map(self._reduction, node.reductions))
        inputs = tuple(self._node(part, level + 1) for part in node.inputs)
        return (*inputs, *reductions, *parameters, formula)

    def _formula(self, node: Explanation) -> str:
        """The formula as it is declared; of an index, how it takes its parts together."""
        how = node.formula.partition(" mean of ")[0]
        if how in ("arithmetic", "geometric") and node.inputs:
            return self.speech.one_of("portraits.mean", how)
        return self.speech("portraits.formula", text=node.formula)

    def _node(self, node: Explanation, level: int) -> Branch:
        unit = unit_word(node.value.unit, self.speech.language)
        value = f"{self.said(node)} {unit}".strip() if node.value.number is not None else self.said(node)
        text = self.name(node)
        if node.weight is not None:
            text += f" · {self.speech('portraits.weight', weight=number_text(node.weight))}"
        return Branch(text, value, self.parts(node, level), level < _OPEN)

    def _parameter(self, parameter: ParameterSeen) -> Branch:
        language = self.speech.language
        unit = unit_word(parameter.unit, language)
        title = parameter.title.text(language)
        about = self.speech("portraits.since", day=str(parameter.start or ""), source=parameter.source)
        if isinstance(parameter.value, Mapping):
            named = self._choices()
            rows = tuple(
                Branch(named[name].text(language) if name in named else name, f"{number_text(value)} {unit}")
                for name, value in parameter.value.items()
            )
            return Branch(f"{title} · {about}", "", rows)
        return Branch(
            f"{title} · {about}", "–" if parameter.value is None else f"{number_text(parameter.value)} {unit}"
        )

    def _reduction(self, reduction: ReductionSeen) -> Branch:
        language = self.speech.language
        types = evidence_types(self.scheme)
        named = types[reduction.kind].title.text(language) if reduction.kind in types else reduction.kind
        value = "–" if reduction.value is None else _number(reduction.value)
        if reduction.count is None:
            count = self.speech("portraits.few")
        else:
            key = "portraits.ballots" if reduction.ballots else "portraits.rows"
            count = self.speech(key, count=reduction.count)
        rows = tuple(map(self._row, reduction.rows))
        hidden = () if rows or not reduction.count else (Branch(self.speech("portraits.hidden"), ""),)
        return Branch(f"{named}: {reduction.text} · {count}", value, rows or hidden)

    def _row(self, row: RowSeen) -> Branch:
        """One row of evidence: what it says, and where in the ledger it stands."""
        language = self.speech.language
        types = evidence_types(self.scheme)
        fields = types[row.kind].fields if row.kind in types else {}
        entry, proof = self.found.entries[row.entry], self.found.proofs[row.entry, row.row]
        said = []
        for name, value in row.data.items():
            field = fields.get(name)
            choice = field.choices.get(str(value)) if field is not None else None
            text = choice.text(language) if choice is not None else text_of(value, language)
            said.append(Branch(field.title.text(language) if field is not None else name, text))
        origin = entry.source.get("file", "")
        where = [
            Branch(self.speech("portraits.file"), f"{origin} {row.line or ''}".strip()) if origin else None,
            Branch(self.speech("portraits.entry"), f"{row.entry} · {row.row}"),
            Branch(self.speech("portraits.proof", count=len(proof.path)), proof.salt.hex()[:8] + "…"),
        ]
        head = " · ".join(part.value for part in said[:4] if part.value)
        return Branch(head, "", (*said, *(part for part in where if part is not None)))

    def _choices(self) -> dict[str, Title]:
        kinds = self.scheme.evidence.values()
        return {
            code: title for kind in kinds for field in kind.fields.values() for code, title in field.choices.items()
        }


def _number(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
