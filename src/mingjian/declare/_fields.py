"""The rows a scheme knows: evidence types, the subject rows of every scheme, and what derivations add to them."""

from __future__ import annotations

from collections.abc import Mapping

from mingjian.declare._model import EvidenceType, Field, Scheme
from mingjian.declare._titles import Title

SUBJECT = "subject"


def subject_evidence(scheme: Scheme) -> EvidenceType:
    """The evidence type ``subject``: each row states what holds of a subject from a day on.

    A move is a later row with another ``parent``; an end is a row with ``until`` (the first day it is gone), a merger one
    with ``into`` too. Whether parents exist is for `Hierarchy` to say, which sees all rows at once.
    """
    types = {name: kind.title for name, kind in scheme.subjects.items()}
    fields = (
        Field("id", "text", Title("Subject", "编号")),
        Field("type", "choice", Title("Type", "类型"), choices=types),
        Field("zh", "text", Title("Chinese name", "中文名称")),
        Field("en", "text", Title("English name", "英文名称")),
        Field("parent", "text", Title("Belongs to", "上级"), optional=True),
        Field("from", "date", Title("From", "起始日期")),
        Field("until", "date", Title("Until", "终止日期"), optional=True),
        Field("into", "text", Title("Merged into", "并入"), optional=True),
        Field("kind", "text", Title("Peer group", "同类组别"), optional=True),
    )
    return EvidenceType(
        SUBJECT, Title("Subjects", "对象"), {field.name: field for field in fields}, key=("id", "from"), date="from"
    )


def evidence_types(scheme: Scheme) -> dict[str, EvidenceType]:
    """Every kind of row that can be added under the scheme: ``subject`` and the declared evidence types."""
    return {SUBJECT: subject_evidence(scheme), **scheme.evidence}


def source_type(scheme: Scheme, name: str) -> EvidenceType | None:
    """The evidence type whose rows ``name`` (itself, or a derivation of derivations) stands on; None when there is none."""
    seen: set[str] = set()
    while name in scheme.derivations and name not in seen:
        seen.add(name)
        name = scheme.derivations[name].of
    return evidence_types(scheme).get(name)


def row_fields(scheme: Scheme, name: str) -> Mapping[str, Field]:
    """The fields of an evidence type, or those a derivation inherits followed by its results (exact, in their unit).

    Empty for a name that is neither. Of a derivation that stands on nothing there are the results alone.
    """
    results: dict[str, Field] = {}
    seen: set[str] = set()
    while name in scheme.derivations and name not in seen:
        seen.add(name)
        derivation = scheme.derivations[name]
        own = {key: Field(key, "quantity", derivation.title, unit=unit) for key, unit in derivation.units.items()}
        results = {**own, **results}
        name = derivation.of
    source = evidence_types(scheme).get(name)
    return {**source.fields, **results} if source else results
