def scor(task):
    return task.points.sum()
