"""A claims file, read whole: every fault at once, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

from mingjian.base.errors import Fault, Misuse
from mingjian.base.values import Period, magnitude
from mingjian.declare import Report, Section, near, read_toml
from mingjian.reckon.claims._formulas import Dimension, dimension_text, evaluate, names_in, scale
from mingjian.reckon.claims._model import Against, Candidates, Claim, ClaimSet, Constant, Implied, Source
from mingjian.reckon.claims._text import show_parts

_NAME: Final = re.compile("[a-z][a-z0-9_]*")
_WORDINGS: Final = ("exactly", "about", "over", "at_least")


def load_claims(path: Path) -> ClaimSet:
    """The published figures of a TOML file. Raises Fault with a Finding for each fault, naming file and line."""
    report = Report()
    root = read_toml(path.parent, path.name, report)
    sources = {name: _source(section) for name, section in root.named("source")}
    constants = {name: _constant(name, section) for name, section in root.named("constant")}
    sections = dict(root.named("claim"))
    claims = {name: _claim(name, section, sources) for name, section in sections.items()}
    root.end()
    if not claims and not report.findings:
        root.fault("no-claims", "the file has no [claim.NAME]")
    for name in sorted(constants.keys() & claims.keys()):
        sections[name].fault("name-taken", "a constant has the same name")
    read = ClaimSet(sources, constants, claims)
    if not report.findings:  # figures without a known unit cannot be reckoned with
        for name, section in sections.items():
            _check_formulas(read, claims[name], section)
        _check_unused(read, root)
    if report.findings:
        raise Fault(f"{path.name} does not hold together", findings=report.findings)
    return read


def _source(section: Section) -> Source:
    made = Source(section.text("title"), section.text("publisher"), section.day("date"), section.text("page", ""))
    section.end()
    return made


def _constant(name: str, section: Section) -> Constant:
    _check_name(name, section)
    value = section.number("value", required=True) or Decimal(0)
    made = Constant(name, section.title(), value, section.text("unit"), section.text("source"))
    _dimension(section, "unit", made.unit)
    section.end()
    return made


def _claim(name: str, section: Section, sources: Mapping[str, Source]) -> Claim:
    _check_name(name, section)
    unit = section.text("unit")
    show = section.text("show", unit)
    tolerance = section.section("tolerance")
    made = Claim(
        id=name,
        title=section.title(),
        subject=section.text("subject"),
        source=section.text("source"),
        place=section.text("place", ""),
        quote=section.text("quote"),
        value=section.number("value", required=True) or Decimal(0),
        magnitude=section.text("magnitude", ""),
        unit=unit,
        show=show,
        wording=section.choice("wording", _WORDINGS, "exactly"),
        percent=_percent(tolerance) if tolerance.table else None,
        reason=tolerance.text("reason", None if tolerance.table else ""),
        against=tuple(_against(item) for item in section.sections("against")),
        implies=tuple(_implied(item) for item in section.sections("implies")),
        candidates=_candidates(section.section("candidates")) if "candidates" in section.table else None,
    )
    tolerance.end()
    section.end()
    if made.source and made.source not in sources:
        section.fault("unknown-source", f"there is no [source.{made.source}]", "source", near(made.source, sources))
    if made.wording != "exactly" and made.value <= 0:
        section.fault("bad-value", f"only a figure above 0 can be {made.wording!r}", "wording")
    many, shown = show_parts(show)
    _check_magnitude(section, "magnitude", made.magnitude)
    _check_magnitude(section, "show", many)
    measured, displayed = _dimension(section, "unit", unit), _dimension(section, "show", shown)
    if measured is not None and displayed is not None and measured != displayed:
        section.fault("bad-unit", f"{unit} cannot be shown in {shown}", "show")
    return made


def _against(section: Section) -> Against:
    kinds = [kind for kind in ("measure", "formula", "same_as") if kind in section.table]
    note = section.title("note") if "note" in section.table else None
    measure = formula = subject = period = ""
    if len(kinds) != 1:
        section.fault("bad-against", "needs exactly one of measure, formula, same_as")
    if "measure" in section.table:
        measure, subject, period = section.text("measure"), section.text("subject"), section.text("period")
        _check_period(section, period)
    formula = section.text("formula", "") or section.text("same_as", "")
    section.end()
    return Against(measure, subject, period, formula, note)


def _implied(section: Section) -> Implied:
    made = Implied(section.title(), section.text("formula"), section.text("unit"), section.integer("decimals"))
    _dimension(section, "unit", made.unit)
    section.end()
    return made


def _candidates(section: Section) -> Candidates:
    substance, quantity, reason = section.text("substance"), section.text("quantity"), section.text("reason")
    made = Candidates(substance, quantity, _percent(section), reason)
    section.end()
    return made


def _percent(section: Section) -> Decimal:
    value = section.number("percent", required=True)
    if value is not None and value <= 0:
        section.fault("bad-value", "percent must be above 0", "percent")
    return value or Decimal(0)


def _check_formulas(read: ClaimSet, claim: Claim, section: Section) -> None:
    """Reckon every formula once: what cannot be reckoned, or comes out in another unit, is a fault of the file."""
    for item, against in zip(section.sections("against"), claim.against, strict=True):
        key = "formula" if "formula" in item.table else "same_as"
        if against.formula and claim.id in names_in(against.formula):
            item.fault("holds-itself", f"{claim.id} is held against itself", key)
        elif against.formula:
            _check_formula(read, against.formula, claim.unit, item, key)
    for item, implied in zip(section.sections("implies"), claim.implies, strict=True):
        _check_formula(read, implied.formula, implied.unit, item, "formula")
    if claim.candidates:
        section_of = section.section("candidates")
        _check_formula(read, f"{claim.id} / {claim.candidates.quantity}", "kg/kWh", section_of, "quantity")


def _check_formula(read: ClaimSet, formula: str, unit: str, section: Section, key: str) -> None:
    try:
        found = evaluate(formula, read.amounts).dimension
    except Misuse as fault:
        section.fault("bad-formula", f"{fault.what}{f': {fault.why}' if fault.why else ''}", key, fault.remedy)
        return
    if found != scale(unit)[1]:
        section.fault("bad-formula", f"{formula} is {dimension_text(found)}, not {unit}", key)


def _check_unused(read: ClaimSet, root: Section) -> None:
    used = {name for formula in _formulas(read) for name in names_in(formula)}
    for name, section in root.named("constant"):
        if name not in used:
            section.fault("unused", "no formula uses this constant", remedy="remove it")


def _formulas(read: ClaimSet) -> Iterator[str]:
    for claim in read.claims.values():
        yield from (against.formula for against in claim.against)
        yield from (implied.formula for implied in claim.implies)
        if claim.candidates:
            yield claim.candidates.quantity


def _check_name(name: str, section: Section) -> None:
    if not _NAME.fullmatch(name):
        section.fault("bad-name", "a name is small letters, digits and _", remedy="so that formulas can use it")


def _check_magnitude(section: Section, key: str, text: str) -> None:
    try:
        if text:
            magnitude(text)
    except Misuse as fault:
        section.fault("bad-magnitude", fault.what, key, fault.remedy)


def _check_period(section: Section, text: str) -> None:
    try:
        if text:
            Period.parse(text)
    except Misuse as fault:
        section.fault("bad-period", fault.what, "period", fault.remedy)


def _dimension(section: Section, key: str, name: str) -> Dimension | None:
    try:
        return scale(name)[1] if name else None
    except Misuse as fault:
        section.fault("unknown-unit", fault.what, key, fault.remedy)
        return None
