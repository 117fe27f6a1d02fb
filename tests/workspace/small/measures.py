def fulfilment(task):
    return 100 * task.awarded.sum() / task.possible.sum()


def energy(reading):
    return reading.wh.sum()


def approval(ballot, points):
    return points[ballot.grade].mean()


def overall(fulfilment, approval):
    return (fulfilment + approval) / 2
