def score(task, visit):
    return task.points.sum() + visit.marks.sum()
