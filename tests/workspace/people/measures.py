def level(score):
    return score.points.mean()


def items(item):
    return item.count()


def marks(mark):
    return mark.points.sum()


def informants(informant):
    return informant.count()


def proofs(attachment):
    return attachment.count()
