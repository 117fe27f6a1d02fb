from mingjian import coalesce, previous, split


def fulfilment(task):
    return 100 * task.awarded.sum(where=task.state != "void") / task.possible.sum(where=task.state != "void")


def fulfilment_mean(task):
    return 100 * task.awarded.sum() / task.possible.sum()


def tasks(task):
    return task.count()


def awarded_each(task):
    return task.awarded.sum()


def score_each(awarded_each, task):
    return 100 * awarded_each / task.possible.sum()


def approval(ballot, points):
    return points[ballot.grade].mean()


def staff_poor(ballot):
    return ballot.count(where=(ballot.voter == "staff") & (ballot.grade == "poor"))


def overall(fulfilment, approval, share):
    return share * fulfilment + (1 - share) * approval


def change(fulfilment):
    return fulfilment - previous(fulfilment)


def year_tasks(task):
    return task.count()


def part_of_year(tasks, year_tasks):
    return 100 * tasks / year_tasks


def items(item):
    return item.count()


def gravity(item, half_life, period_end):
    age = (period_end - item.received).days
    return (item.weight * 0.5 ** (age / half_life)).sum()


def last_item(item, period_end):
    return (period_end - item.received.max()).days


def rank(post):
    return post.rank.max()


def energy(reading):
    return reading.wh.sum()


def cost(reading):
    return (reading.wh * coalesce(reading.price, 0)).sum()


def settled_wh(settled):
    return settled.part.sum()


def owed(settled, period_start, period_end):
    in_force = (settled.signed <= period_start) & (settled.until >= period_end)
    return (settled.part * settled.price).sum(where=settled.firm & in_force)


def settled(contract, supply):
    return {"part": split(supply.wh.sum(), over=contract.unit, weight=contract.wh)}


def double_standing(standing, points):
    return 2 * standing * points["good"] / points["good"]
