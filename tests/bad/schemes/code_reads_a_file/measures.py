import os

LIMIT = len(open("/etc/passwd").read())


def score(task):
    return task.points.sum() + LIMIT + os.getpid() + len(task.__class__.__mro__)
