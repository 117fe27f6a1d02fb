"""Doing something to a case from files: for those who like a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from mingjian.base.errors import Misuse
from mingjian.record.evidence import read_file
from mingjian.record.process import Case
from mingjian.workspace._desk import Desk, Form, Offer
from mingjian.workspace._office import Office

Row = Mapping[str, object]


def act_from_files(
    desk: Desk,
    process: str,
    case: str,
    act: str,
    *,
    fills: Mapping[str, str],
    rows: Iterable[tuple[str, Path]] = (),
    attached: Sequence[Path] = (),
    note: str = "",
) -> Case:
    """Do an act to a case as it stands now, with ``rows`` from files (each with its evidence type, "" where the act takes one
    only) and files ``attached``.

    Raises Misuse for an act that is not offered on the case or a type that it does not take, and as `Desk.act` does.
    """
    seen = desk.case(process, case)
    offer = _offer(seen.offers, act, case)
    given: dict[str, list[Row]] = {}
    for kind, path in rows:
        form = _form(offer, kind)
        given.setdefault(form.kind.id, []).extend(_rows(form, path, desk.now.scheme.zone))
    with ExitStack() as opened:
        files = [(path.name, opened.enter_context(_there(path).open("rb"))) for path in attached]
        return desk.act(process, case, act, expected=seen.case.version, fills=fills, rows=given, files=files, note=note)


def account_of(office: Office, name: str) -> str:
    """The id of the account that is meant by an id or a sign-in name. Raises Misuse where there is none."""
    for account in office.accounts.accounts():
        if name in (account.id, account.name):
            return account.id
    if name in office.now().grants.accounts():
        return name  # given a role before anybody signed in by it
    raise Misuse(f"there is no account {name}", remedy="give the name that they sign in with")


def _offer(offers: Sequence[Offer], act: str, case: str) -> Offer:
    for offer in offers:
        if offer.act.id == act:
            return offer
    there = [offer.act.id for offer in offers if offer.allowed]
    near = get_close_matches(act, there, n=1)
    raise Misuse(
        f"you cannot {act} {case} now",
        why=f"you can {', '.join(there)}" if there else "there is nothing that you can do with it now",
        remedy=f"did you mean {near[0]}?" if near else "",
    )


def _form(offer: Offer, kind: str) -> Form:
    """The form of that type, or the only one. Raises Misuse for another."""
    forms = {form.kind.id: form for form in offer.forms}
    if not kind and len(forms) == 1:
        return next(iter(forms.values()))
    if kind not in forms:
        raise Misuse(
            f"which rows are these? {offer.act.id} takes {', '.join(forms) or 'none'}",
            remedy="say --rows TYPE=FILE" if forms else "leave the file out",
        )
    return forms[kind]


def _rows(form: Form, path: Path, zone: str) -> list[Row]:
    """The rows of a file, with the fields that the actor gives: none must be, since the case says some of them.

    Raises MingjianError with the findings at their cells.
    """
    fields = {field.name: replace(field, optional=True) for field in form.fields}
    asked = replace(form.kind, fields=fields, key=(), date="", bad_rows="refuse")
    table = read_file(_there(path), asked, zone=zone).accepted(asked)
    return [{name: v for name, v in row.items() if name in fields and v is not None} for row in table.to_pylist()]


def _there(path: Path) -> Path:
    if not path.is_file():
        raise Misuse(f"there is no file {path}", remedy="name a file that is there")
    return path
