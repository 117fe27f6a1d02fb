def score(task, bonus):
    return task.points.sum() + bonus
