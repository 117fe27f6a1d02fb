"""A figure about few is not shown: from three ballots and their mean one can guess each of them."""

from __future__ import annotations

from dataclasses import replace

from mingjian.base.errors import Finding, Misuse
from mingjian.reckon.measures import Results, Value


def release(results: Results, minimum: int) -> Results:
    """The results as they may be shown: what was counted from 1 to ``minimum - 1`` ballots is withheld.

    A withheld value says so and why; it keeps neither its number nor its count (``group`` becomes None), and it does not
    matter whether there was a number: "no value" of three ballots tells what the three said. A value of no ballots at all
    has status "none". Values without ballots pass unchanged. Releasing twice changes nothing.

    Only the minimum is looked at. What follows from several released figures together (a total less its parts, one round
    less the round before) is not. Raises Misuse for a negative minimum.
    """
    if minimum < 0:
        raise Misuse(f"a minimum group of {minimum} makes no sense", remedy="give 0 or more")
    return results.through(lambda value: _released(value, minimum))


def _released(value: Value, minimum: int) -> Value:
    if value.group is None:
        return value
    name = (
        f"{value.measure} of {value.subject}" + (f" ({value.member})" if value.member else "") + f" in {value.period}"
    )
    if value.group == 0:
        reason = value.reason or Finding("no-ballots", f"{name}: no ballot was counted")
        return replace(value, status="none", number=None, reason=reason)
    if value.group >= minimum:
        return value
    reason = Finding(
        "small-group",
        f"{name} is withheld: it was counted from fewer than {minimum} ballots",
        remedy="figures about so few are not shown, so that nobody can tell what one person answered",
    )
    return replace(value, status="withheld", number=None, group=None, reason=reason)
