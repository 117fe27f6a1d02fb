def score(task, marks):
    return task.points.sum() + marks["opne"]
