def score(task):
    return task.points.sum()


def score(task):
    return task.points.sum()
