def score(task):
    return task.points.sum()


def lonely(task):
    return task.count()
