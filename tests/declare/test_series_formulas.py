"""What a formula can ask of a series, and what it is told where it asks for more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mingjian.declare import Expr, FormulaError, coalesce, expr_from_data, formula_text, missing, total, where
from mingjian.declare._record import Rows

USE = Rows("use", {"readings": "series", "wh": "exact", "flag": "flag"})


def test_its_total_and_what_is_missing_are_numbers_of_the_row() -> None:
    formula = coalesce(USE.wh, total(USE.readings)).sum(where=missing(USE.readings) == 0)
    assert formula_text(formula) == "coalesce(use.wh, total(use.readings)).sum(where=(missing(use.readings) == 0))"
    assert expr_from_data(formula.data()).data() == formula.data()
    assert (total(USE.readings).kind, total(USE.readings).level) == ("exact", "use")


REFUSED: dict[str, Callable[[], object]] = {
    "sum": lambda: USE.readings.sum(),
    "distinct": lambda: USE.readings.distinct(),
    "arithmetic": lambda: USE.readings + 1,
    "comparison": lambda: USE.readings == USE.readings,
    "coalesce": lambda: coalesce(USE.readings, USE.readings),
    "where": lambda: where(USE.flag, USE.readings, USE.readings),
    "total of a number": lambda: total(USE.wh),
    "missing of a total": lambda: missing(total(USE.readings)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_series_is_no_number(what: str) -> None:
    with pytest.raises(FormulaError, match="series"):
        REFUSED[what]()


def test_the_way_to_sum_it_is_said() -> None:
    with pytest.raises(FormulaError, match=r"write total\(use.readings\)"):
        USE.readings.sum()


def test_rows_that_have_one_are_counted() -> None:
    assert isinstance(USE.readings.count(where=~USE.readings.is_null()), Expr)
