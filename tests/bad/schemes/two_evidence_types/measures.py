def score(task, visit):
    both = task.points + visit.marks
    return both.sum()
