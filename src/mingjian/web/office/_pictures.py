"""The panorama's pictures, as ECharts options without functions. Each has its table beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

from mingjian.reckon.measures import Value
from mingjian.web._page import Speech
from mingjian.workspace import Beside, Forest, Member, Panorama

# From the weakest band to the strongest: only what is weak stands out. The table's cells have the same (office.css).
SHADES: Final = ("#b3382c", "#e2a58f", "#f3ddd0", "#f8f4ec")
INK, RULE, CALM, ACCENT, MUTED = "#1b2430", "#d9d6cc", "#2f6f62", "#b3382c", "#5c6470"
LABELS: Final = 215  # pixels

Option = Mapping[str, Any]


def ranges(laid: Panorama, speech: Speech) -> Sequence[str]:
    """What the bands are, in words: the lowest first."""
    bounds = [f"{bound.normalize():f}" for bound in laid.bands]
    if not bounds:
        return ("",)
    between = [speech("office.between", low=low, high=high) for low, high in pairwise(bounds)]
    return (speech("office.under", bound=bounds[0]), *between, speech("office.at_least", bound=bounds[-1]))


CUT: Final = {"color": INK, "overflow": "truncate"}  # how a label is written that may be too long


def heat(laid: Panorama, speech: Speech) -> Option:
    """Units from left to right, indicators from top to bottom; a click leads to the unit's portrait."""
    rows = {member.id: place for place, member in enumerate(laid.members)}
    names = {member.id: _name(member, speech) for member in laid.members}
    columns = {subject.id: place for place, subject in enumerate(laid.subjects)}
    shown = [(s, m, v) for (s, m), v in laid.cells.items() if v.number is not None]
    bounds = [float(bound) for bound in laid.bands]
    edges = [{"lt": bounds[0]}, *({"gte": low, "lt": high} for low, high in pairwise(bounds)), {"gte": bounds[-1]}]
    pieces = [
        {**edge, "label": label, "color": SHADES[min(place, len(SHADES) - 1)]}
        for place, (edge, label) in enumerate(zip(edges, ranges(laid, speech), strict=True))
    ]
    return {
        "aria": {"decal": {"show": False}},
        "grid": {"left": 24, "right": 8, "top": 8, "bottom": 48, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": [f"{s.id} {speech.title(s.title)}" for s in laid.subjects],
            "axisLabel": {**CUT, "rotate": 90, "fontSize": 10, "width": 26, "ellipsis": ""},
            "axisTick": {"show": False},
            "axisLine": {"show": False},
        },
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": list(names.values()),
            "axisLabel": {**CUT, "fontSize": 12, "width": LABELS, "interval": 0},
            "axisTick": {"show": False},
            "axisLine": {"show": False},
        },
        "visualMap": {
            "type": "piecewise",
            "pieces": pieces,
            "dimension": 2,
            "orient": "horizontal",
            "left": "center",
            "bottom": 0,
            "itemSymbol": "rect",
            "itemWidth": 22,
            "itemHeight": 12,
            "textStyle": {"color": INK},
            "outOfRange": {"color": "#ffffff"},
        },
        "series": [
            {
                "type": "heatmap",
                "dimensions": [
                    "unit",
                    "row",
                    {"name": "score", "displayName": speech("office.score")},
                    {"name": "indicator", "displayName": speech("office.indicator"), "type": "ordinal"},
                ],
                "encode": {"x": "unit", "y": "row", "tooltip": ["indicator", "score"]},
                "data": [[columns[s], rows[m], float(v.printed), names[m]] for s, m, v in shown],
                "itemStyle": {"borderColor": "#ffffff", "borderWidth": 1},
                "emphasis": {"itemStyle": {"borderColor": INK, "borderWidth": 2}},
            }
        ],
        "links": [f"/portraits/{quote(s, safe='')}?period={laid.period}" for s, _, _ in shown],
    }


def bins(laid: Panorama, speech: Speech) -> Option:
    """How many units have which index."""
    found = laid.distribution()
    return {
        "aria": {"decal": {"show": False}},
        "grid": {"left": 8, "right": 8, "top": 28, "bottom": 8, "containLabel": True},
        "xAxis": {
            "type": "category",
            "data": [f"{one.low:f}–{one.high:f}" for one in found],
            "axisLabel": {"color": INK, "fontSize": 11, "hideOverlap": True},
            "axisTick": {"show": False},
            "axisLine": {"lineStyle": {"color": MUTED}},
        },
        "yAxis": {"type": "value", "minInterval": 1, "show": False},
        "tooltip": {"trigger": "item"},
        "series": [
            {
                "type": "bar",
                "name": speech("office.units"),
                "data": [len(one.subjects) for one in found],
                "barCategoryGap": "12%",
                "itemStyle": {"color": CALM},
                "label": {"show": True, "position": "top", "color": INK},
            }
        ],
    }


def forest(seen: Forest, laid: Panorama, speech: Speech) -> Option:
    """From the lowest to the highest of its peers, with the one in the middle and the unit itself."""
    lines = list(seen.lines)
    lowest, highest = [float(line.lowest.printed) for line in lines], [float(line.highest.printed) for line in lines]
    middle, own = speech("office.middle"), speech.title(seen.subject.title)
    floor = 10 * int(min(lowest, default=0.0) // 10)
    return {
        "aria": {"decal": {"show": False}},
        "grid": {"left": 24, "right": 24, "top": 36, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": 0, "data": [middle, own], "textStyle": {"color": INK}, "selectedMode": False},
        "tooltip": {"trigger": "item"},
        "xAxis": {
            "type": "value",
            "min": floor,
            "splitLine": {"lineStyle": {"color": RULE}},
            "axisLabel": {"color": INK},
        },
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [line_name(line, laid, speech) for line in lines],
            "axisLabel": {"color": INK, "fontSize": 12, "width": LABELS, "overflow": "truncate", "interval": 0},
            "axisTick": {"show": False},
            "axisLine": {"show": False},
        },
        "series": [
            _bar("low", lowest, "transparent"),
            _bar("span", [high - low for low, high in zip(lowest, highest, strict=True)], RULE),
            _points(middle, "rect", [3, 14], INK, [line.middle for line in lines]),
            _points(own, "diamond", 14, ACCENT, [line.own for line in lines]),
        ],
    }


def line_name(line: Beside, laid: Panorama, speech: Speech) -> str:
    """What a number beside its peers is called."""
    return _name(line.member, speech) if line.member is not None else speech.title(laid.index.title)


def _bar(name: str, data: Sequence[float], colour: str) -> Option:
    look = {"itemStyle": {"color": colour, "borderRadius": 2}, "silent": True, "tooltip": {"show": False}}
    return {"type": "bar", "name": name, "stack": "range", "barWidth": 6, "data": data, **look}


def _points(name: str, symbol: str, size: object, colour: str, values: Sequence[Value | None]) -> Option:
    data = [None if v is None or v.number is None else float(v.printed) for v in values]
    return {
        "type": "scatter",
        "name": name,
        "symbol": symbol,
        "symbolSize": size,
        "itemStyle": {"color": colour, "opacity": 1},
        "data": [[number, place] for place, number in enumerate(data) if number is not None],
        "z": 3,
    }


def _name(member: Member, speech: Speech) -> str:
    return member.zh if speech.language == "zh" else member.en
