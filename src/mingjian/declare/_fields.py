"""The rows a scheme knows: evidence types, the subject rows of every scheme, and what derivations add to them."""

from __future__ import annotations

from collections.abc import Mapping

from mingjian.declare._model import EvidenceType, Field, Scheme
from mingjian.declare._titles import Title

SUBJECT = "subject"
ACT = "act"
GRANT = "grant"
NUMERIC = ("integer", "quantity", "decimal")  # the types of fields with one number in them
TIME = "time"  # heads the instants in a file with one value of a series a line


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


def act_evidence() -> EvidenceType:
    """The evidence type ``act``: each row is one act in one case of a process, never superseded.

    ``frm`` and ``to`` are the states before and after, ``late`` whether it came after the deadline of the state before,
    ``by`` the account, ``on`` the day of ``at`` on the clock of the scheme.
    """
    fields = (
        Field("process", "text", Title("Process", "流程")),
        Field("case", "text", Title("Case", "事项")),
        Field("act", "text", Title("Act", "办理")),
        Field("frm", "text", Title("State before", "办理前状态")),
        Field("to", "text", Title("State after", "办理后状态")),
        Field("late", "flag", Title("Late", "逾期")),
        Field("role", "text", Title("Role", "角色")),
        Field("by", "text", Title("Account", "账号")),
        Field("on", "date", Title("Day", "日期")),
        Field("at", "time", Title("Time", "时间")),
        Field("note", "text", Title("Note", "备注"), optional=True),
    )
    return EvidenceType(ACT, Title("Acts", "办理记录"), {field.name: field for field in fields}, date="on")


def grant_evidence() -> EvidenceType:
    """The evidence type ``grant``: who holds which role over which subject, from day ``since`` up to but not on ``until``.

    A later row of the same account, role and subject supersedes: a role is taken away by one with ``until``.
    """
    fields = (
        Field("account", "text", Title("Account", "账号")),
        Field("role", "text", Title("Role", "角色")),
        Field("subject", "text", Title("Subject", "对象")),
        Field("since", "date", Title("From", "起始日期")),
        Field("until", "date", Title("Until", "终止日期"), optional=True),
        Field("by", "text", Title("Granted by", "授权人")),
    )
    key = ("account", "role", "subject")
    return EvidenceType(GRANT, Title("Grants", "授权"), {field.name: field for field in fields}, key=key, date="since")


def evidence_types(scheme: Scheme) -> dict[str, EvidenceType]:
    """Every kind of row that a ledger can hold under the scheme: the kernel's own and the declared evidence types.

    The kernel's are ``subject``, with processes ``act``, and with roles ``grant``.
    """
    types = {SUBJECT: subject_evidence(scheme)}
    if scheme.processes:
        types[ACT] = act_evidence()
    if scheme.roles:
        types[GRANT] = grant_evidence()
    return types | dict(scheme.evidence)


def source_type(scheme: Scheme, name: str) -> EvidenceType | None:
    """The evidence type whose rows ``name`` (itself, or a derivation of derivations) stands on; None when there is none."""
    seen: set[str] = set()
    while name in scheme.derivations and name not in seen:
        seen.add(name)
        name = scheme.derivations[name].of
    return scheme.evidence.get(name) or evidence_types(scheme).get(name)


def row_fields(scheme: Scheme, name: str) -> Mapping[str, Field]:
    """The fields of an evidence type, or those a derivation inherits followed by its results (exact, in their unit).

    A series is not inherited: it stays with the row of evidence that it stands in. Empty for a name that is neither. Of a
    derivation that stands on nothing there are the results alone.
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
    if source is None:
        return results
    whole = {key: field for key, field in source.fields.items() if not seen or field.type != "series"}
    return {**whole, **results}
