"""Plausible wrong answers of notebook 09."""


# %% 9.1 every number counts, also in words and with three digits
def parse(cell):
    found = []
    for part in cell.split("+"):
        number = re.search(r"\d{1,2}", part)
        side = re.search(r"[LR]", part.replace("AU", ""))
        if number:
            found.append((int(number[0]), side[0] if side else "", "?" in part))
    return found


# %% 9.1 a side behind the number is lost
def parse(cell):
    found = []
    for part in cell.split("+"):
        fit = re.fullmatch(r"(?:AU)?([LR]?)(\d{1,2})[A-E]?[LR]?(\??)", part.strip())
        if fit:
            found.append((int(fit[2]), fit[1], bool(fit[3])))
    return found


# %% 9.1 what is uncertain is left out
def parse(cell):
    found = []
    for part in cell.split("+"):
        fit = re.fullmatch(r"(?:AU)?([LR]?)(\d{1,2})[A-E]?([LR]?)", part.strip())
        if fit:
            found.append((int(fit[2]), fit[1] or fit[3], False))
    return found


# %% 9.1 parts with spaces around them do not fit
def parse(cell):
    found = []
    for part in cell.split("+"):
        fit = re.fullmatch(r"(?:AU)?([LR]?)(\d{1,2})[A-E]?([LR]?)(\??)", part)
        if fit:
            found.append((int(fit[2]), fit[1] or fit[3], bool(fit[4])))
    return found


# %% 9.2 an apex on the onset is kept
def repair(onset, apex, offset):
    possible = (onset <= apex) & (apex <= offset)
    return np.where(possible, apex, (onset + offset) // 2)


# %% 9.2 an apex on the offset is thrown away
def repair(onset, apex, offset):
    possible = (onset < apex) & (apex < offset)
    return np.where(possible, apex, (onset + offset) // 2)


# %% 9.2 only the missing ones
def repair(onset, apex, offset):
    return np.where(np.isnan(apex), (onset + offset) // 2, apex)


# %% 9.2 half frames
def repair(onset, apex, offset):
    possible = (onset < apex) & (apex <= offset)
    return np.where(possible, apex, (onset + offset) / 2)


# %% 9.3 clips instead of people
def people_with(labels, subjects):
    return labels.sum(0)


# %% 9.3 people who show it in all of their clips
def people_with(labels, subjects):
    return sum(labels[subjects == person].all(axis=0).astype(int) for person in np.unique(subjects))


# %% 9.3 the share of the people
def people_with(labels, subjects):
    return np.mean([labels[subjects == person].any(axis=0) for person in np.unique(subjects)], axis=0)


# %% 9.4 one row seems to harm nobody
may_publish = ["A", "B", "D"]


# %% 9.4 a small crop seems to be no face
may_publish = ["A", "C", "D"]


# %% 9.4 sums over a table are taken for rows
may_publish = ["A"]
