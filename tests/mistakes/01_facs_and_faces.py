"""Plausible wrong answers of notebook 01."""

# %% 1.1 the corner of a pixel, not its middle
def to_face(rows, columns, size):
    return columns / size * 2 - 1, rows / size * 2 - 1


# %% 1.1 x and y are swapped
def to_face(rows, columns, size):
    return (rows + 0.5) / size * 2 - 1, (columns + 0.5) / size * 2 - 1


# %% 1.1 the first and the last middle at -1 and 1
def to_face(rows, columns, size):
    return columns / (size - 1) * 2 - 1, rows / (size - 1) * 2 - 1


# %% 1.2 without the half in the exponent
def pull_field(x, y, centre, radius, push):
    bell = np.exp(-(((x - centre[0]) / radius[0]) ** 2 + ((y - centre[1]) / radius[1]) ** 2))
    return np.stack([push[0] * bell, push[1] * bell])


# %% 1.2 the widths are not squared
def pull_field(x, y, centre, radius, push):
    bell = np.exp(-0.5 * ((x - centre[0]) ** 2 / radius[0] + (y - centre[1]) ** 2 / radius[1]))
    return np.stack([push[0] * bell, push[1] * bell])


# %% 1.2 the axes of the answer come last
def pull_field(x, y, centre, radius, push):
    return np.moveaxis(pulled(x, y, centre, radius, push), 0, -1)


# %% 1.3 y is taken to point up
my_pull = (0.28, 0.53), (0.13, 0.15), (0.0, -1.0)


# %% 1.3 in the middle of the mouth, not at its corner
my_pull = (0.0, 0.5), (0.13, 0.15), (0.0, 1.0)


# %% 1.3 sideways
my_pull = (0.28, 0.53), (0.13, 0.15), (1.0, 0.0)


# %% 1.4 straight lines, not half a cosine
def amount(t, peak, onset, apex, offset):
    rise = np.clip((t - onset) / (apex - onset), 0, 1)
    fall = np.clip((offset - t) / (offset - apex), 0, 1)
    return peak * np.minimum(rise, fall)


# %% 1.4 the shares are not cut
def amount(t, peak, onset, apex, offset):
    share = np.minimum((t - onset) / (apex - onset), (offset - t) / (offset - apex))
    return peak * (0.5 - 0.5 * np.cos(np.pi * share))


# %% 1.4 it rises and stays
def amount(t, peak, onset, apex, offset):
    return peak * (0.5 - 0.5 * np.cos(np.pi * np.clip((t - onset) / (apex - onset), 0, 1)))


# %% 1.5 counted from rest, not from the first frame
def can_be_seen(amounts, peaks):
    return amounts.max(1) >= 0.5 * peaks


# %% 1.5 the last frame against the first
def can_be_seen(amounts, peaks):
    return amounts[:, -1] - amounts[:, 0] >= 0.5 * peaks


# %% 1.5 half a pixel, not half of the peak
def can_be_seen(amounts, peaks):
    return (amounts - amounts[:, :1]).max(1) >= 0.5
