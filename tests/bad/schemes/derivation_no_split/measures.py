def score(share):
    return share.part.sum()


def share(task):
    return {"part": task.points + 0}
