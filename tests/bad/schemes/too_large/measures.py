def score(task):
    total = task.points.sum()
    for _ in range(12):
        total = total + total
    return total
