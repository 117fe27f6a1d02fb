def score(task):
    return task.points.sum(where=task.state == "opn")
