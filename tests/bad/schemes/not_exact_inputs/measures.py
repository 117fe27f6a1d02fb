def score(total):
    return total + 1


def parts(task):
    return task.points.sum()
