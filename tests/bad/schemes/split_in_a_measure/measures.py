from mingjian import split


def score(task, visit):
    return split(visit.marks.sum(), over=task.unit, weight=task.points).sum()
