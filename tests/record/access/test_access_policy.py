"""Who may do what: nobody beyond their reach, nothing under a label they do not hold, and every refusal says who may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mingjian.base.errors import Forbidden, Misuse
from mingjian.declare import LABELS, Hierarchy, Role, Scheme, SubjectType, Title
from mingjian.record.access import Actor, Decision, Grant, Policy, Refused

DAY, LONG_AGO = date(2021, 9, 7), date(2020, 1, 1)
ANYONE = Actor()
SUBJECTS = {
    "district": SubjectType("district", Title("District", "区")),
    "unit": SubjectType("unit", Title("Unit", "单位"), parent="district"),
    "leader": SubjectType("leader", Title("Leader", "领导干部"), parent="unit", person=True),
}

Ask = Callable[[Policy, Actor], Decision]


def row(id: str, type: str, parent: str = "", start: date = LONG_AGO, **more: object) -> dict[str, object]:
    return {"id": id, "type": type, "zh": id, "en": id, "from": start, "parent": parent, **more}


def placed(*rows: dict[str, object]) -> Hierarchy:
    return Hierarchy.of_rows(rows, SUBJECTS)


@pytest.fixture(scope="module")
def policy(scheme: Scheme) -> Policy:
    """U02 has gone into U01, and left L3 there; U04 is gone, and left L6; L4 moved from U01 to U03 in July."""
    hierarchy = placed(
        row("D", "district"),
        row("U01", "unit", "D"),
        row("U02", "unit", "D", until=date(2021, 4, 1), into="U01"),
        row("U03", "unit", "D"),
        row("U04", "unit", "D", until=date(2021, 4, 1)),
        row("U05", "unit", "D", date(2022, 1, 1)),
        row("L1", "leader", "U01"),
        row("L3", "leader", "U02"),
        row("L4", "leader", "U01"),
        row("L4", "leader", "U03", date(2021, 7, 1)),
        row("L6", "leader", "U04"),
        row("L7", "leader", "U01", until=date(2021, 3, 1)),
    )
    return Policy(scheme, hierarchy, DAY)


def who(*held: str, account: str = "a-somebody") -> Actor:
    """An actor with roles like "reporter:U01"."""
    pairs = (one.split(":") for one in held)
    return Actor(account, tuple(Grant(account, role, subject, LONG_AGO) for role, subject in pairs))


def reached(policy: Policy, actor: Actor) -> set[str]:
    return {name for kind in SUBJECTS for name in policy.reach(actor, kind)}


# -- reach ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("held", "names"),
    [
        ("reporter:U01", "U01 U02 L1 L3 L7"),
        ("reporter:U02", "U02"),  # gone: L3 stands under U01 now
        ("reporter:U03", "U03 L4"),
        ("reporter:U04", "U04"),
        ("described:L4", "L4"),
        ("assessor:D", "D U01 U02 U03 U04 U05 L1 L3 L4 L6 L7"),
        ("reporter:D", ""),  # granted over a subject of another type than the role's
        ("reporter:U99", ""),
        ("nobody:U01", ""),
    ],
)
def test_a_grant_reaches_its_subject_and_whoever_stands_below_it_that_day(
    policy: Policy, held: str, names: str
) -> None:
    assert reached(policy, who(held)) == set(names.split())


def test_reach_can_be_asked_of_one_role(policy: Policy) -> None:
    actor = who("reporter:U03", "resident:U01")
    assert policy.reach(actor, "unit") == ("U01", "U02", "U03")
    assert policy.reach(actor, "unit", "reporter") == ("U03",)
    assert policy.reach(actor, "leader", "assessor") == ()
    assert policy.reach(ANYONE, "unit") == ()


@st.composite
def towns(draw: st.DrawFn) -> Hierarchy:
    """Two districts with units that end, merge and move, and leaders who change places."""
    days = st.integers(0, 900).map(lambda n: LONG_AGO + timedelta(n))
    rows = [row("D1", "district"), row("D2", "district")]
    units = [f"U{n}" for n in range(draw(st.integers(1, 5)))]
    for place, unit in enumerate(units):
        start, until = draw(days), draw(st.none() | days)
        ended: dict[str, object] = {}
        if until is not None and until > start:
            into = draw(st.sampled_from(["", *units[place + 1 :]]))
            ended = {"until": until, **({"into": into} if into else {})}
        rows.append(row(unit, "unit", draw(st.sampled_from(["D1", "D2"])), start, **ended))
    for number in range(draw(st.integers(0, 6))):
        starts = draw(st.lists(days, min_size=1, max_size=3, unique=True))
        rows += [row(f"L{number}", "leader", draw(st.sampled_from(units)), start) for start in starts]
    return placed(*rows)


@st.composite
def grants(draw: st.DrawFn) -> tuple[Grant, ...]:
    """Roles over anything, also where they make no sense, on whatever days."""
    days = st.integers(0, 900).map(lambda n: LONG_AGO + timedelta(n))
    names = st.sampled_from(["D1", "D2", "U0", "U1", "U2", "L0", "L1", "nobody"])
    roles = st.sampled_from(["reporter", "described", "resident", "guest", "assessor", "office", "no-role"])
    return tuple(
        Grant("a", draw(roles), draw(names), draw(days), draw(st.none() | days)) for _ in range(draw(st.integers(0, 4)))
    )


DAYS = st.integers(0, 900).map(lambda n: LONG_AGO + timedelta(n))
SHARED = settings(max_examples=60, deadline=None)


@SHARED
@given(town=towns(), day=DAYS)
def test_reach_is_what_the_hierarchy_says_of_all_who_exist(scheme: Scheme, town: Hierarchy, day: date) -> None:
    policy = Policy(scheme, town, day)
    above = {"district": ("assessor", ("D1", "D2")), "unit": ("reporter", ("U0", "U1", "U2", "U3", "U4"))}
    for kind, (role, subjects) in above.items():
        for subject in filter(lambda name: town.at(name, day), subjects):
            found = reached(policy, who(f"{role}:{subject}"))
            for below in ("unit", "leader"):
                for name in (s.id for s in town.alive(below, day, day + timedelta(1))):
                    orphan = any(not town.ancestor(name, upper, day) for upper in ("unit", "district"))
                    if below != kind and not (orphan and below == "leader"):
                        assert (name in found) == (town.ancestor(name, kind, day) == subject)


@SHARED
@given(town=towns(), day=DAYS, held=grants())
def test_who_reaches_a_subject_is_what_decides(
    scheme: Scheme, town: Hierarchy, day: date, held: tuple[Grant, ...]
) -> None:
    policy, actor = Policy(scheme, town, day), Actor("a", held)
    within = reached(policy, actor)
    for name in ("D1", "U0", "U1", "L0", "L1", "nobody"):
        asked = [policy.see(actor, name, label) for label in LABELS[1:]]
        asked += [
            policy.describe(actor, name),
            policy.add(actor, "report", name),
            policy.issue(actor, "portrait", name),
        ]
        assert name in within or not any(asked)
        for decision in filter(None, asked):
            assert decision.role in {grant.role for grant in held if grant.holds(day)} & set(decision.who)


@SHARED
@given(town=towns(), day=DAYS, held=grants())
def test_who_sees_a_label_sees_every_more_open_one(
    scheme: Scheme, town: Hierarchy, day: date, held: tuple[Grant, ...]
) -> None:
    policy, actor = Policy(scheme, town, day), Actor("a", held)
    for name in ("D1", "U0", "L0", "nobody", ""):
        seen = [bool(policy.see(actor, name, label)) for label in LABELS]
        assert seen == sorted(seen, reverse=True)
        assert seen[0]


@SHARED
@given(town=towns(), day=DAYS, held=grants())
def test_more_grants_never_take_anything_away(
    scheme: Scheme, town: Hierarchy, day: date, held: tuple[Grant, ...]
) -> None:
    policy = Policy(scheme, town, day)
    fewer, more = Actor("a", held[1:]), Actor("a", held)
    assert reached(policy, fewer) <= reached(policy, more)
    for name in ("D1", "U0", "L0", ""):
        for label in LABELS:
            assert policy.see(fewer, name, label).allowed <= policy.see(more, name, label).allowed
        assert policy.describe(fewer, name).allowed <= policy.describe(more, name).allowed


@SHARED
@given(until=DAYS, day=DAYS)
def test_a_role_that_was_taken_away_ends_on_that_day(scheme: Scheme, until: date, day: date) -> None:
    policy = Policy(scheme, placed(row("D", "district"), row("U01", "unit", "D")), day)
    actor = Actor("a", (Grant("a", "reporter", "U01", LONG_AGO, until),))
    assert policy.see(actor, "U01", "internal").allowed == (day < until)
    assert bool(policy.reach(actor, "unit")) == (day < until)


# -- what is seen -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("held", "subject", "highest"),
    [
        ("", "U01", "public"),
        ("reporter:U01", "U01", "internal"),
        ("reporter:U01", "U03", "public"),
        ("guest:D", "U01", "public"),
        ("resident:U01", "U01", "confidential"),
        ("resident:U01", "L1", "confidential"),
        ("resident:U01", "L4", "public"),
        ("described:L1", "L1", "confidential"),
        ("described:L1", "U01", "public"),
        ("assessor:D", "L1", "internal"),
        ("office:D", "L1", "sealed"),
        ("office:D", "nobody", "public"),
        ("reporter:U01", "", "internal"),
        ("resident:U01", "", "internal"),  # what is about nobody and confidential is for the top
        ("office:D", "", "sealed"),
        ("guest:D", "", "public"),
    ],
)
def test_each_role_sees_up_to_its_label(policy: Policy, held: str, subject: str, highest: str) -> None:
    actor = who(held) if held else ANYONE
    assert [label for label in LABELS if policy.see(actor, subject, label)][-1] == highest


@pytest.mark.parametrize(
    ("held", "subject", "allowed"),
    [
        ("", "U01", False),
        ("", "L1", False),
        ("guest:D", "U01", True),
        ("reporter:U01", "U01", True),
        ("reporter:U01", "U03", False),
        ("reporter:U01", "L1", False),  # a person's are not for the colleagues
        ("assessor:D", "L1", False),
        ("resident:U01", "L1", True),
        ("resident:U01", "L4", False),
        ("described:L1", "L1", True),
        ("described:L1", "L3", False),
        ("described:L1", "U01", False),
        ("office:D", "L1", True),
        ("office:D", "nobody", False),
    ],
)
def test_numbers_of_a_person_are_for_themselves_and_those_who_read_confidential_rows(
    policy: Policy, held: str, subject: str, allowed: bool
) -> None:
    assert policy.describe(who(held) if held else ANYONE, subject).allowed == allowed


def test_they_are_for_the_person_whatever_else_the_role_reads(scheme: Scheme, policy: Policy) -> None:
    plain = replace(scheme, roles={"self": Role("self", Title("Self", "本人"), of="leader", reads="public")})
    own = Policy(plain, placed(row("D", "district"), row("U01", "unit", "D"), row("L1", "leader", "U01")), DAY)
    assert own.describe(who("self:L1"), "L1")
    assert own.describe(who("self:L1"), "L1").who == ("self",)


# -- what is done -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ask", "those"),
    [
        (lambda p, a: p.add(a, "report", "U01"), {"reporter:U01", "assessor:D"}),
        (lambda p, a: p.add(a, "reply", "L1"), {"described:L1"}),
        (lambda p, a: p.add(a, "report", "L1"), set()),
        (lambda p, a: p.add(a, "item", "U01"), set()),
        (lambda p, a: p.add(a, "report", ""), {"assessor:D"}),
        (lambda p, a: p.act(a, "duty", "report", "U01"), {"reporter:U01", "assessor:D"}),
        (lambda p, a: p.issue(a, "portrait", "U01"), {"assessor:D"}),
        (lambda p, a: p.grant(a, "reporter", "U01"), {"office:D"}),
        (lambda p, a: p.grant(a, "office", "D"), set()),
        (lambda p, a: p.unseal(a), {"office:D"}),
        (lambda p, a: p.oversee(a), {"office:D"}),
    ],
    ids=[
        "add",
        "reply",
        "in-their-place",
        "nobody",
        "about-nobody",
        "act",
        "issue",
        "grant",
        "grant-office",
        "unseal",
        "oversee",
    ],
)
def test_only_those_may(policy: Policy, ask: Ask, those: set[str]) -> None:
    all_held = {"reporter:U01", "reporter:U03", "described:L1", "resident:U01", "guest:D", "assessor:D", "office:D"}
    assert {held for held in all_held if ask(policy, who(held))} == those
    assert not ask(policy, ANYONE)
    assert set(ask(policy, ANYONE).who) == {held.partition(":")[0] for held in those}, "a refusal names who may"


@pytest.mark.parametrize(
    "ask",
    [
        lambda p, a: p.add(a, "rapport", "U01"),
        lambda p, a: p.act(a, "duties", "report", "U01"),
        lambda p, a: p.act(a, "duty", "raport", "U01"),
        lambda p, a: p.issue(a, "portrayal", "U01"),
        lambda p, a: p.grant(a, "repoter", "U01"),
        lambda p, a: p.grant(a, "reporter", "D"),
        lambda p, a: p.grant(a, "reporter", ""),
    ],
    ids=["type", "process", "act", "statement", "role", "subject", "nobody"],
)
def test_what_is_not_declared_is_a_mistake_and_no_refusal(policy: Policy, ask: Ask) -> None:
    with pytest.raises(Misuse) as told:
        ask(policy, who("office:D"))
    assert told.value.remedy


def test_a_refusal_names_in_both_languages_who_may(policy: Policy) -> None:
    decision = policy.add(who("reporter:U03"), "report", "U01")
    with pytest.raises(Refused, match=r"Reporter \(填报员\), Assessor \(考核员\)") as told:
        policy.refuse(decision, "add a report about U01")
    assert isinstance(told.value, Forbidden)
    assert told.value.decision is decision
    assert decision.reason.zh
    assert "no role of yours" in told.value.why
    assert policy.add(ANYONE, "report", "U01").why == "nobody is signed in"


def test_what_nobody_may_is_said_so_and_what_is_allowed_is_not_refused(policy: Policy) -> None:
    with pytest.raises(Refused, match="no role may"):
        policy.refuse(policy.add(who("office:D"), "item", "U01"), "add an item")
    policy.refuse(policy.see(ANYONE, "U01", "public"), "look")


def test_nobody_acts_on_the_grants_of_another() -> None:
    held = Grant("a-one", "office", "D", LONG_AGO)
    for account in ("a-two", ""):
        with pytest.raises(Misuse):
            Actor(account, (held,))


def test_an_office_with_520_leaders_is_decided_on(scheme: Scheme) -> None:
    units = [row(f"U{n:02}", "unit", "D") for n in range(85)]
    leaders = [row(f"L{n:03}", "leader", f"U{n % 85:02}") for n in range(520)]
    policy = Policy(scheme, placed(row("D", "district"), *units, *leaders), DAY)
    actor = who("office:D")
    assert len(policy.reach(actor, "leader")) == 520
    assert all(policy.see(actor, leader["id"], "confidential") for leader in leaders)  # type: ignore[arg-type]
