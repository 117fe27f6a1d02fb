def score(task):
    return (task.points - task.points.mean()).sum()
