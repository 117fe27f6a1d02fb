def score(task, first):
    return task.points.sum() + first


def first(second):
    return second + 1


def second(first):
    return first + 1
