"""Measures: values for subjects and periods, reckoned from rows, each with its lineage and its explanation."""

from mingjian.reckon.measures._aggregates import aggregates
from mingjian.reckon.measures._derive import derive
from mingjian.reckon.measures._evaluate import Attested, evaluate
from mingjian.reckon.measures._explain import Explanation, ParameterSeen, ReductionSeen, RowSeen, explain, explain_each
from mingjian.reckon.measures._lineage import Lineage, lineage, lineages
from mingjian.reckon.measures._spark import Spark
from mingjian.reckon.measures._tables import members
from mingjian.reckon.measures._values import Aggregate, AggregateKey, Key, Part, Results, Status, Value

__all__ = [
    "Aggregate",
    "AggregateKey",
    "Attested",
    "Explanation",
    "Key",
    "Lineage",
    "ParameterSeen",
    "Part",
    "ReductionSeen",
    "Results",
    "RowSeen",
    "Spark",
    "Status",
    "Value",
    "aggregates",
    "derive",
    "evaluate",
    "explain",
    "explain_each",
    "lineage",
    "lineages",
    "members",
]
