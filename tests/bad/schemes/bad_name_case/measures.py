def Score(task):
    return task.points.sum()
