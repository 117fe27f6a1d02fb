from mingjian import previous


def score(task, score):
    return task.points.sum() + previous(score)
