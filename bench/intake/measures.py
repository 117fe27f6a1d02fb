def energy(reading):
    return reading.wh.sum()
