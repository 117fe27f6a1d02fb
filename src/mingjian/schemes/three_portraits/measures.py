"""The arithmetic of the three portraits: one function a measure, its inputs named by its parameters."""

from mingjian import coalesce, greatest, least, previous, where

SUBSTANTIATED = ["substantiated", "closed_substantiated"]


# -- the assessment portrait ---------------------------------------------------------------------------------------


def points_possible(task):
    return task.possible.sum(where=_counted(task))


def points_awarded(task):
    return where(task.state == "missing", 0, task.awarded).sum(where=_counted(task))


def deducted(adjustment):
    return coalesce(adjustment.points.sum(where=adjustment.kind == "deduction"), 0)


def bonus(adjustment):
    return coalesce(adjustment.points.sum(where=adjustment.kind == "bonus"), 0)


def indicator_score(points_awarded, deducted, bonus, points_possible):
    points = points_awarded - coalesce(deducted, 0) + coalesce(bonus, 0)
    return least(greatest(100 * points / points_possible, 0), 100)


def tasks_late(task):
    return task.count(where=task.state == "late")


def tasks_missing(task):
    return task.count(where=task.state == "missing")


def movement(assessment):
    return assessment - previous(assessment)


# -- the democratic portrait ---------------------------------------------------------------------------------------


def approval_political(form, points):
    return points[form.political].mean()


def approval_responsibility(form, points):
    return points[form.responsibility].mean()


def approval_integrity(form, points):
    return points[form.integrity].mean()


def approval_overall(form, points):
    return points[form.overall].mean()


def approval_service(form, points):
    return points[form.service].mean()


def approval_discipline(form, points):
    return points[form.discipline].mean()


def poor_share(form):
    return _poor_share(form)


def ballots_counted(form):
    return form.count(where=_of_team(form))


def leader_political(form, points):
    return points[form.political].mean()


def leader_responsibility(form, points):
    return points[form.responsibility].mean()


def leader_integrity(form, points):
    return points[form.integrity].mean()


def leader_overall(form, points):
    return points[form.overall].mean()


def leader_service(form, points):
    return points[form.service].mean()


def leader_discipline(form, points):
    return points[form.discipline].mean()


def leader_poor_share(form):
    return _poor_share(form)


def leader_ballots(form):
    return form.count()


# -- the supervision portrait --------------------------------------------------------------------------------------


def items_substantiated(item, look_back, period_end):
    return item.count(where=_stands(item, look_back, period_end))


def gravity(item, weights, half_life, look_back, period_end):
    return _gravity(item, weights, half_life, look_back, period_end)


def clean_record(items_substantiated):
    return where(items_substantiated == 0, 1, 0)


def leader_items(item, look_back, period_end):
    return item.count(where=_stands(item, look_back, period_end))


def leader_gravity(item, weights, half_life, look_back, period_end):
    return _gravity(item, weights, half_life, look_back, period_end)


def leader_clean(leader_items):
    return where(leader_items == 0, 1, 0)


# -- the panorama --------------------------------------------------------------------------------------------------


def units_described(form):
    return form.about.distinct(where=_of_team(form))


def leaders_described(form):
    return form.about.distinct(where=~_of_team(form))


def items_recorded(item):
    return item.count()


# -- what several of them share ------------------------------------------------------------------------------------


def _counted(task):
    """A task that was reviewed, or never reported; one that awaits review or does not apply leaves the denominator."""
    applies = task.state.is_null() | (task.state != "not_applicable")
    return (task.state == "missing") | (applies & ~task.awarded.is_null())


def _of_team(form):
    """A line about the team of the unit that votes, rather than about a member."""
    return form.about == form.unit


def _poor_share(form):
    """Poor marks of a line are added up before any line is: how many were poor in one dimension stands nowhere."""
    grades = (form.political, form.responsibility, form.integrity, form.overall, form.service, form.discipline)
    first, *others = (coalesce(where(g == "poor", 1, 0), 0) for g in grades)
    return 100 * sum(others, start=first).sum() / sum(g.count() for g in grades)


def _stands(item, look_back, period_end):
    """Found to be true by the end of the period, and not so old that the record has let it go."""
    found = item.state.isin(SUBSTANTIATED) & (item.established <= period_end)
    return found & ((period_end - item.received).days <= look_back)


def _gravity(item, weights, half_life, look_back, period_end):
    """Each item's weight, halved with every half-life since it was received; 0 where none stands."""
    age = (period_end - item.received).days
    weighed = weights[item.severity] * 0.5 ** (age / half_life)
    return coalesce(weighed.sum(where=_stands(item, look_back, period_end)), 0)
