def score(task):
    return task.awarded.sum()
