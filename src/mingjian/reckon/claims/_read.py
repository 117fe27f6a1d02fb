"""A claims file, read whole: every fault at once, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from mingjian.base.errors import Fault, Misuse
from mingjian.base.values import Period, magnitude
from mingjian.declare import Report, Section, near, read_toml
from mingjian.reckon.claims._formulas import Amount, Dimension, dimension_text, evaluate, names_in, scale
from mingjian.reckon.claims._model import Against, Candidates, Claim, ClaimSet, Constant, Implied, Source
from mingjian.reckon.claims._text import show_parts

_NAME: Final = re.compile("[a-z][a-z0-9_]*")
_WORDINGS: Final = ("exactly", "about", "over", "at_least")


@dataclass(frozen=True, slots=True)
class _Formula:
    """A formula met on the way, to be reckoned once every figure is known; ``wanted`` is what ``unit`` measures."""

    text: str
    unit: str
    wanted: Dimension | None
    section: Section
    key: str
    claim: str = ""  # the figure held against it, which therefore may not stand in it


def load_claims(path: Path) -> ClaimSet:
    """The published figures of a TOML file. Raises Fault with a Finding for each fault, naming file and line."""
    report = Report()
    root = read_toml(path.parent, path.name, report)
    formulas: list[_Formula] = []
    sources = {name: _source(section) for name, section in root.named("source")}
    sections = dict(root.named("constant"))
    constants = {name: _constant(name, section) for name, section in sections.items()}
    claims = {name: _claim(name, section, sources, formulas) for name, section in root.named("claim")}
    root.end()
    if not claims and not report.findings:
        root.fault("no-claims", "the file has no [claim.NAME]")
    used = {name for formula in formulas for name in names_in(formula.text)}
    for name, section in sections.items():
        if name in claims:
            section.fault("name-taken", "a claim has the same name")
        elif name not in used:
            section.fault("unused", "no formula uses this constant", remedy="remove it")
    read = ClaimSet(sources, constants, claims)
    _check_formulas(read, formulas)
    if report.findings:
        raise Fault(f"{path.name} does not hold together", findings=report.findings)
    return read


def _source(section: Section) -> Source:
    made = Source(section.text("title"), section.text("publisher"), section.day("date"), section.text("page", ""))
    section.end()
    return made


def _constant(name: str, section: Section) -> Constant:
    _check_name(name, section)
    made = Constant(name, section.title(), _number(section, "value"), section.text("unit"), section.text("source"))
    _dimension(section, "unit", made.unit)
    section.end()
    return made


def _claim(name: str, section: Section, sources: Mapping[str, Source], formulas: list[_Formula]) -> Claim:
    _check_name(name, section)
    unit = section.text("unit")
    measured = _dimension(section, "unit", unit)
    show = section.text("show", unit)
    tolerance = section.section("tolerance")
    made = Claim(
        id=name,
        title=section.title(),
        subject=section.text("subject"),
        source=section.text("source"),
        place=section.text("place", ""),
        quote=section.text("quote"),
        value=_number(section, "value"),
        magnitude=section.text("magnitude", ""),
        unit=unit,
        show=show,
        wording=section.choice("wording", _WORDINGS, "exactly"),
        percent=_percent(tolerance) if "tolerance" in section.table else None,
        reason=tolerance.text("reason", None if "tolerance" in section.table else ""),
        against=tuple(_against(item, name, unit, measured, formulas) for item in section.sections("against")),
        implies=tuple(_implied(item, formulas) for item in section.sections("implies")),
        candidates=_candidates(section, name, formulas) if "candidates" in section.table else None,
    )
    tolerance.end()
    section.end()
    if made.source and made.source not in sources:
        section.fault("unknown-source", f"there is no [source.{made.source}]", "source", near(made.source, sources))
    if made.value <= 0 and (made.wording != "exactly" or made.candidates):
        section.fault("bad-value", "only a figure above 0 can have a wording or candidates", "value")
    many, shown = show_parts(show)
    _check_magnitude(section, "magnitude", made.magnitude)
    _check_magnitude(section, "show", many)
    displayed = _dimension(section, "show", shown) if "show" in section.table else measured
    if measured is not None and displayed is not None and measured != displayed:
        section.fault("bad-unit", f"{unit} cannot be shown in {shown}", "show")
    return made


def _against(section: Section, claim: str, unit: str, wanted: Dimension | None, formulas: list[_Formula]) -> Against:
    kinds = [kind for kind in ("measure", "formula", "same_as") if kind in section.table]
    note = section.title("note") if "note" in section.table else None
    measure = formula = subject = period = ""
    if len(kinds) != 1:
        section.fault("bad-against", "needs exactly one of measure, formula, same_as")
    for key in kinds:
        if key == "measure":
            measure, subject, period = section.text("measure"), section.text("subject"), section.text("period")
            _check_period(section, period)
        else:
            formula = section.text(key)
            if key == "same_as" and not _NAME.fullmatch(formula):
                section.fault("bad-value", "same_as is not the name of a figure", key, "write formula = ...")
            formulas.append(_Formula(formula, unit, wanted, section, key, claim))
    section.end()
    return Against(measure, subject, period, formula, note)


def _implied(section: Section, formulas: list[_Formula]) -> Implied:
    made = Implied(section.title(), section.text("formula"), section.text("unit"), section.integer("decimals"))
    wanted = _dimension(section, "unit", made.unit)
    formulas.append(_Formula(made.formula, made.unit, wanted, section, "formula"))
    section.end()
    return made


def _candidates(claim: Section, name: str, formulas: list[_Formula]) -> Candidates:
    section = claim.section("candidates")
    quantity = section.text("quantity")
    made = Candidates(section.text("substance"), quantity, _percent(section), section.text("reason"))
    if _NAME.fullmatch(quantity):
        formulas.append(_Formula(f"{name} / {quantity}", "kg/kWh", scale("kg/kWh")[1], section, "quantity"))
    else:
        section.fault("bad-value", "quantity is not the name of a figure", "quantity")
    section.end()
    return made


def _percent(section: Section) -> Decimal:
    value = _number(section, "percent")
    if "percent" in section.table and value <= 0:
        section.fault("bad-value", "percent must be above 0", "percent")
    return value


def _number(section: Section, key: str) -> Decimal:
    """A required number; 0 stands in for a missing one so that reading can go on."""
    value = section.number(key, required=True)
    return Decimal(0) if value is None else value


def _check_formulas(read: ClaimSet, formulas: Iterable[_Formula]) -> None:
    """Reckon every formula once: what cannot be reckoned, or comes out in another unit, is a fault of the file."""
    amounts = dict(_sound(read))
    for formula in formulas:
        names = names_in(formula.text)
        if formula.claim in names:
            formula.section.fault("holds-itself", f"{formula.claim} is held against itself", formula.key)
        elif formula.text and not read.figures.keys() & set(names) - amounts.keys():
            _check_formula(formula, amounts)


def _sound(read: ClaimSet) -> Iterator[tuple[str, Amount]]:
    """The figures that can be reckoned with; what is wrong with the others has been reported where they stand."""
    for name, figure in read.figures.items():
        try:
            yield name, figure.amount
        except Misuse:
            continue


def _check_formula(formula: _Formula, amounts: Mapping[str, Amount]) -> None:
    try:
        found = evaluate(formula.text, amounts).dimension
    except Misuse as fault:
        why = f": {fault.why}" if fault.why else ""
        formula.section.fault("bad-formula", fault.what + why, formula.key, fault.remedy)
        return
    if formula.wanted not in (None, found):
        text = f"{formula.text} is {dimension_text(found)}, not {formula.unit}"
        formula.section.fault("bad-formula", text, formula.key)


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
