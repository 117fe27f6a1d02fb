from mingjian import carry, coalesce, least, previous, split, where

SIZE = 1000


def fulfilment(task):
    return 100 * task.awarded.sum(where=task.state.isin(["open", "done"])) / task.possible.sum(where=~task.late)


def each_indicator(task, points):
    return points[task.state].mean()


def gravity(task, half_life, period_end, period_start):
    age = (period_end - period_start).days
    return (task.possible / 2).sum() * 0.5 ** (age / half_life) + task.count(where=task.late)


def change(fulfilment):
    return where(fulfilment > 50, coalesce(fulfilment - previous(fulfilment), 0), 0)


def green(carried, total):
    return carried.whole.sum() + total


def settled(contract, reading):
    return {"part": least(contract.wh, split(reading.wh.sum(), over=contract.unit, weight=contract.wh))}


def carried(settled):
    return _in_units(settled.part)


def _in_units(amount):
    whole, rest = carry(amount, unit=SIZE)
    return {"whole": whole, "rest": rest}
