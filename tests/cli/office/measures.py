def score(task):
    return task.awarded.sum()


def items(item):
    return item.count()
