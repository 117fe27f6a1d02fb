LIMIT = 1 / 0


def score(task):
    return task.points.sum()
