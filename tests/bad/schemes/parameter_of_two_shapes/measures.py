def score(task, marks):
    return marks[task.state].sum()
