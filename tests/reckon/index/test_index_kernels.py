"""What an index relies on: scales, means, who leaves the denominator, and a reason wherever there is no value."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mingjian.base.errors import Misuse
from mingjian.reckon.index import Floats, Reason, Stats, aggregate, contributions, normalise, stats

NAN = math.nan
NUMBERS = st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
COLUMNS = hnp.arrays(np.float64, st.integers(1, 12), elements=st.one_of(NUMBERS, st.just(NAN)))


@st.composite
def trees(draw: st.DrawFn, least: float = -1e6) -> tuple[Floats, Floats]:
    rows, children = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    numbers = st.one_of(st.floats(least, 1e6).map(lambda number: round(number, 3)), st.just(NAN))
    weights = hnp.arrays(np.float64, children, elements=st.integers(0, 100).map(float)).filter(lambda w: bool(w.any()))
    return draw(hnp.arrays(np.float64, (rows, children), elements=numbers)), draw(weights)


def column(*numbers: float) -> Floats:
    return np.array(numbers, dtype=np.float64)


def test_scales() -> None:
    values = column(10, 20, NAN, 40)
    assert normalise(values, "none").values.tolist()[:2] == [10, 20]
    np.testing.assert_allclose(normalise(values, "minmax").values, [0, 100 / 3, NAN, 100], rtol=1e-15)
    np.testing.assert_allclose(normalise(values, "goalposts", 20, 30).values, [0, 0, NAN, 100])
    np.testing.assert_allclose(normalise(values, "goalposts", 40, 0).values, [75, 50, NAN, 0])
    np.testing.assert_allclose(normalise(column(1, 2, 3), "zscore").values, [-1, 0, 1])
    assert normalise(values, "minmax").reasons.tolist() == [0, 0, Reason.ABSENT, 0]


@pytest.mark.parametrize("method", ["minmax", "zscore"])
@pytest.mark.parametrize("values", [column(0.1, 0.1, NAN, 0.1), column(7, NAN)])
def test_equal_peers_give_no_value_and_say_so(values: Floats, method: str) -> None:
    outcome = normalise(values, method)  # type: ignore[arg-type]
    assert np.isnan(outcome.values).all()
    assert set(outcome.reasons[~np.isnan(values)]) == {Reason.CONSTANT}
    assert set(outcome.reasons[np.isnan(values)]) == {Reason.ABSENT}


@given(COLUMNS, st.sampled_from(["minmax", "zscore"]))
def test_one_subject_against_attested_peers_gets_what_the_whole_column_gave(values: Floats, method: str) -> None:
    peers, whole = stats(values), normalise(values, method)  # type: ignore[arg-type]
    for place in range(len(values)):
        alone = normalise(values[place : place + 1], method, stats=peers)  # type: ignore[arg-type]
        np.testing.assert_array_equal(alone.values, whole.values[place : place + 1])
        assert alone.reasons[0] == whole.reasons[place]


@given(COLUMNS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_bit_of_the_statistics(values: Floats, random: object) -> None:
    shuffled = values.tolist()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert stats(column(*shuffled)) == stats(values)


@given(hnp.arrays(np.float64, st.integers(2, 12), elements=NUMBERS))
def test_statistics_are_those_of_exact_arithmetic(values: Floats) -> None:
    exact = [Fraction(number) for number in values.tolist()]
    mean = sum(exact) / len(exact)
    variance = sum((number - mean) ** 2 for number in exact) / (len(exact) - 1)
    found = stats(values)
    assert found is not None
    assert found.mean == pytest.approx(float(mean), rel=1e-15, abs=1e-300)
    assert found.sd == pytest.approx(math.sqrt(variance), rel=1e-9, abs=1e-9)


def test_nothing_present_has_no_statistics() -> None:
    assert stats(column(NAN, NAN)) is None
    assert normalise(column(NAN), "zscore").reasons.tolist() == [Reason.ABSENT]


def test_means_and_who_leaves_the_denominator() -> None:
    values = np.array([[80, 90], [NAN, 90], [NAN, NAN], [0, 9], [-1, 0]])
    weights = column(60, 40)
    arithmetic, geometric = aggregate(values, weights, "arithmetic"), aggregate(values, weights, "geometric")
    np.testing.assert_allclose(arithmetic.values, [84, 90, NAN, 3.6, -0.6])
    np.testing.assert_allclose(geometric.values, [80**0.6 * 90**0.4, 90, NAN, 0, NAN])
    assert arithmetic.reasons.tolist() == [0, 0, Reason.ABSENT, 0, 0]
    assert geometric.reasons.tolist() == [0, 0, Reason.ABSENT, 0, Reason.NEGATIVE]


def test_a_child_without_weight_takes_no_part() -> None:
    values = np.array([[-5.0, 4.0], [3.0, NAN]])
    outcome = aggregate(values, column(0, 2), "geometric")
    np.testing.assert_allclose(outcome.values, [4, NAN])
    assert outcome.reasons.tolist() == [Reason.VALUE, Reason.ABSENT]


@given(trees())
def test_the_arithmetic_mean_is_that_of_exact_arithmetic(tree: tuple[Floats, Floats]) -> None:
    values, weights = tree
    outcome = aggregate(values, weights, "arithmetic")
    for row, mean, reason in zip(values, outcome.values, outcome.reasons, strict=True):
        pairs = [
            (Fraction(v), Fraction(w)) for v, w in zip(row.tolist(), weights.tolist(), strict=True) if v == v and w
        ]
        assert (reason == Reason.ABSENT) == (not pairs) == math.isnan(mean)
        if pairs:
            assert mean == pytest.approx(float(sum(v * w for v, w in pairs) / sum(w for _, w in pairs)), abs=1e-8)


@given(trees(least=0))
def test_contributions_make_up_the_mean_and_the_geometric_one_is_never_greater(tree: tuple[Floats, Floats]) -> None:
    values, weights = tree
    arithmetic, geometric = (aggregate(values, weights, method).values for method in ("arithmetic", "geometric"))
    some = ~np.isnan(arithmetic)
    summands, factors = contributions(values, weights, "arithmetic"), contributions(values, weights, "geometric")
    np.testing.assert_allclose(np.nansum(summands, axis=1)[some], arithmetic[some], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.nanprod(factors, axis=1)[some], geometric[some], rtol=1e-12, atol=1e-12)
    assert (geometric[some] <= arithmetic[some] * (1 + 1e-12) + 1e-12).all()
    assert np.isnan(summands[~some]).all()
    assert (np.isnan(summands) == (np.isnan(values) | (weights == 0))).all()


def test_contributions_of_what_has_no_value_are_none() -> None:
    assert np.isnan(contributions(np.array([[-1.0, 4.0]]), column(1, 1), "geometric")).all()


@given(trees())
def test_a_subject_alone_gets_what_it_gets_among_others(tree: tuple[Floats, Floats]) -> None:
    values, weights = tree
    together = aggregate(values, weights, "arithmetic").values
    alone = [aggregate(row[None, :], weights, "arithmetic").values[0] for row in values]
    np.testing.assert_array_equal(together, alone)


def test_what_makes_no_sense_is_refused() -> None:
    table = np.ones((2, 2))
    with pytest.raises(Misuse, match="one weight a child"):
        aggregate(table, column(1), "arithmetic")
    for weights in (column(0, 0), column(1, -1), column(1, NAN)):
        with pytest.raises(Misuse, match="0 or more"):
            aggregate(table, weights, "arithmetic")
    with pytest.raises(Misuse, match="dimension"):
        aggregate(column(1, 2), column(1), "arithmetic")
    with pytest.raises(Misuse, match="too large"):
        normalise(column(math.inf, 1), "minmax")
    for low, high in ((None, 1.0), (1.0, 1.0), (0.0, NAN)):
        with pytest.raises(Misuse, match="span nothing"):
            normalise(column(1), "goalposts", low, high)
    for wrong in ((0, 1.0, 1.0, 1.0, 0.0), (2, 3.0, 1.0, 2.0, 1.0), (2, 1.0, 3.0, NAN, 1.0), (2, 1.0, 3.0, 2.0, -1.0)):
        with pytest.raises(Misuse, match="no column"):
            Stats(*wrong)
