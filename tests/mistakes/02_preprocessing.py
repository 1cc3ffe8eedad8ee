"""Plausible wrong answers of notebook 02."""


# %% 2.1 turned the wrong way
def similarity(eyes, target):
    (ax, ay), (bx, by) = eyes[1] - eyes[0], target[1] - target[0]
    factor = complex(bx, by) / complex(ax, ay)
    turn = np.array([[factor.real, factor.imag], [-factor.imag, factor.real]])
    return np.column_stack([turn, target.mean(0) - turn @ eyes.mean(0)])


# %% 2.1 the shift does not know of the turn
def similarity(eyes, target):
    (ax, ay), (bx, by) = eyes[1] - eyes[0], target[1] - target[0]
    factor = complex(bx, by) / complex(ax, ay)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, target.mean(0) - eyes.mean(0)])


# %% 2.1 scaled and shifted, but not turned
def similarity(eyes, target):
    scale = np.linalg.norm(target[1] - target[0]) / np.linalg.norm(eyes[1] - eyes[0])
    return np.column_stack([scale * np.eye(2), target.mean(0) - scale * eyes.mean(0)])


# %% 2.2 without the shift
def travel(transforms, point):
    landed = transforms[:, :, :2] @ point
    return np.linalg.norm(landed - landed[0], axis=1)


# %% 2.2 the distance to the frame before
def travel(transforms, point):
    landed = transforms[:, :, :2] @ point + transforms[:, :, 2]
    return np.linalg.norm(np.diff(landed, axis=0, prepend=landed[:1]), axis=1)


# %% 2.2 the sum of both ways instead of the length
def travel(transforms, point):
    landed = transforms[:, :, :2] @ point + transforms[:, :, 2]
    return np.abs(landed - landed[0]).sum(1)


# %% 2.3 evenly by number
def sample(times, pictures, wanted):
    return pictures[np.linspace(0, len(times) - 1, len(wanted)).round().astype(int)]


# %% 2.3 the nearest frame, not mixed
def sample(times, pictures, wanted):
    return pictures[np.abs(times[None] - wanted[:, None]).argmin(1)]


# %% 2.3 the shares are swapped
def sample(times, pictures, wanted):
    right = np.searchsorted(times, wanted).clip(1, len(times) - 1)
    left = right - 1
    share = ((wanted - times[left]) / (times[right] - times[left]))[:, None, None]
    return pictures[left] * share + pictures[right] * (1 - share)


# %% 2.4 the first crossing from the start
def onset_and_apex(times, energy, edge):
    peak = int(energy.argmax())
    level = edge * energy[peak]
    high = np.flatnonzero(energy > level)[0]
    onset = np.interp(level, energy[high - 1 : high + 1], times[high - 1 : high + 1])
    return float(onset), float(times[peak])


# %% 2.4 the edge is taken as a height, not as a share of the peak
def onset_and_apex(times, energy, edge):
    peak = int(energy.argmax())
    low = np.flatnonzero(energy[:peak] <= edge)[-1]
    onset = np.interp(edge, energy[low : low + 2], times[low : low + 2])
    return float(onset), float(times[peak])


# %% 2.4 no interpolation
def onset_and_apex(times, energy, edge):
    peak = int(energy.argmax())
    low = np.flatnonzero(energy[:peak] <= edge * energy[peak])[-1]
    return float(times[low]), float(times[peak])
