def score(task):
    return task.point.sum()
