def score(share):
    return share.part.sum()


def share(visit):
    return {"part": visit.marks + 0}
