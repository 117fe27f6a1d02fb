def score(task):
    return task.point.sum()


def extra(taks):
    return taks.count()
