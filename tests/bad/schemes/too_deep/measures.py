def score(task):
    total = task.points.sum()
    for _ in range(100):
        total = total + 1
    return total
