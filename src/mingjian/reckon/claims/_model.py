"""Published figures, what they are held against, and what comes of it: plain records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from mingjian.base.values import fraction_text, magnitude, number_text
from mingjian.declare import Title
from mingjian.reckon.claims._formulas import Amount, Dimension, scale
from mingjian.reckon.measures import Value

Wording = Literal["exactly", "about", "over", "at_least"]
Outcome = Literal["consistent", "contradicted", "unsupported"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures were published. ``page`` may be empty."""

    title: str
    publisher: str
    date: date
    page: str = ""


@dataclass(frozen=True, slots=True)
class Constant:
    """A figure taken as exact, with the text that lays it down."""

    id: str
    title: Title
    value: Decimal
    unit: str
    source: str

    @property
    def amount(self) -> Amount:
        """The constant in smallest units, without doubt."""
        factor, dimension = scale(self.unit)
        exact = Fraction(self.value) * factor
        return Amount(exact, exact, exact, dimension)


@dataclass(frozen=True, slots=True)
class Against:
    """One thing a figure is held against: a measure, or a formula over other figures (``same_as`` is a bare name)."""

    measure: str = ""
    subject: str = ""
    period: str = ""
    formula: str = ""
    note: Title | None = None


@dataclass(frozen=True, slots=True)
class Implied:
    """A figure nobody printed that follows from those printed; shown beside the verdict."""

    title: Title
    formula: str
    unit: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """Which factors of a list, times ``quantity``, come within ``percent`` of the figure; ``reason`` for that width."""

    substance: str
    quantity: str
    percent: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One published figure as printed: ``value`` (with its places) x ``magnitude`` (万, 亿 or "") of ``unit``.

    ``wording`` is how sure the sentence is: about (约), over (余: a little more), at_least (以上). ``show`` is the unit in
    which a reader sees it, ``percent`` a declared tolerance with its ``reason``, in place of what the printed places leave.
    """

    id: str
    title: Title
    subject: str
    source: str
    place: str
    quote: str
    value: Decimal
    magnitude: str
    unit: str
    show: str
    wording: Wording
    percent: Decimal | None
    reason: str
    against: tuple[Against, ...]
    implies: tuple[Implied, ...]
    candidates: Candidates | None

    @property
    def dimension(self) -> Dimension:
        """The dimension of its unit."""
        return scale(self.unit)[1]

    @property
    def exact(self) -> Fraction:
        """The figure in smallest units, as printed."""
        return Fraction(self.value) * self._step

    @property
    def _step(self) -> Fraction:
        return scale(self.unit)[0] * (magnitude(self.magnitude) if self.magnitude else 1)

    def _unit_of_digit(self, *, significant: bool) -> Fraction:
        """What one more in the last printed digit is worth (``significant``: in the last digit that is not 0)."""
        _, digits, exponent = self.value.as_tuple()
        assert isinstance(exponent, int)
        zeros = len(digits) - len("".join(map(str, digits)).rstrip("0")) if significant and any(digits) else 0
        return Fraction(10) ** (exponent + zeros) * self._step

    @property
    def bounds(self) -> tuple[Fraction, Fraction | None]:
        """Between what the true figure must lie, in smallest units, for the sentence to hold; None: no upper bound.

        Half a unit of the last printed digit either way; ``about``: of the last digit that is not 0; ``over``: up to one
        such unit more; ``at_least``: anything above. A declared tolerance takes the place of each of these widths.
        """
        slack = None if self.percent is None else self.exact * Fraction(self.percent) / 100
        digit = self._unit_of_digit(significant=self.wording != "exactly")
        match self.wording:
            case "over":
                return self.exact - (slack or 0), self.exact + (slack or digit)
            case "at_least":
                return self.exact - (slack or 0), None
        width = digit / 2 if slack is None else abs(slack)
        return self.exact - width, self.exact + width

    @property
    def amount(self) -> Amount:
        """The figure where another formula uses it; ``at_least`` is taken as the figure printed."""
        low, high = self.bounds
        if high is None:
            half = self._unit_of_digit(significant=False) / 2
            low, high = self.exact - half, self.exact + half
        return Amount(self.exact, low, high, self.dimension)


@dataclass(frozen=True, slots=True)
class ClaimSet:
    """The figures of one publication, read and found to hold together."""

    sources: Mapping[str, Source]
    constants: Mapping[str, Constant]
    claims: Mapping[str, Claim]

    @property
    def figures(self) -> Mapping[str, Claim | Constant]:
        """Every name a formula may use."""
        return {**self.constants, **self.claims}

    @property
    def amounts(self) -> Mapping[str, Amount]:
        """The same in smallest units, with bounds."""
        return {name: figure.amount for name, figure in self.figures.items()}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a lookup gives: a released value, whether any evidence below it is synthetic, and what a reader calls the measure
    and whom it is about.
    """

    value: Value
    synthetic: bool
    measure: Title
    subject: Title


Lookup: TypeAlias = Callable[[str, str, str], Measured | None]  # measure, subject, period


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure against one thing: the outcome, the number held against it (in the figure's unit), the arithmetic as text."""

    outcome: Outcome
    computed: Fraction | None
    text: Title
    synthetic: bool = False

    def to_json(self) -> dict[str, object]:
        """The comparison as JSON; the number as an exact fraction."""
        number = None if self.computed is None else fraction_text(self.computed)
        return {"outcome": self.outcome, "computed": number, "text": _json(self.text), "synthetic": self.synthetic}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one figure: contradicted if anything contradicts it, else consistent if anything agrees.

    ``implied`` and ``candidates`` are computed remarks that decide nothing. ``synthetic``: a measure made from
    synthetic evidence had a part in it, so that agreement shows how the check works and not that the figure is true.
    """

    claim: Claim
    outcome: Outcome
    published: Title
    comparisons: tuple[Comparison, ...]
    implied: tuple[Title, ...]
    candidates: tuple[Title, ...]

    @property
    def synthetic(self) -> bool:
        """Whether synthetic evidence had a part in it."""
        return any(comparison.synthetic for comparison in self.comparisons)

    def to_json(self) -> dict[str, object]:
        """The verdict as JSON, numbers as decimal strings or fractions."""
        claim = self.claim
        return {
            "claim": claim.id,
            "title": _json(claim.title),
            "subject": claim.subject,
            "source": claim.source,
            "place": claim.place,
            "quote": claim.quote,
            "value": number_text(claim.value),
            "magnitude": claim.magnitude,
            "unit": claim.unit,
            "published": _json(self.published),
            "outcome": self.outcome,
            "synthetic": self.synthetic,
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
            "implied": [_json(text) for text in self.implied],
            "candidates": [_json(text) for text in self.candidates],
        }


def _json(text: Title) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}
