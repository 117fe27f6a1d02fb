def score(task):
    return task.points.sum()


def extra(task):
    return task.count()
