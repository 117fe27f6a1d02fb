def score(task):
    total = task.points.sum()
    return total.median()
