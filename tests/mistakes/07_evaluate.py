"""Plausible wrong answers of notebook 07."""

# %% 7.1 leaves one clip out, not one person
def one_fold_each(subjects):
    every = np.arange(len(subjects))
    return [(np.delete(every, n), every[[n]]) for n in every]


# %% 7.1 the tested person trains too
def one_fold_each(subjects):
    return [(np.arange(len(subjects)), np.flatnonzero(subjects == person)) for person in np.unique(subjects)]


# %% 7.1 test before train
def one_fold_each(subjects):
    return [(np.flatnonzero(subjects == person), np.flatnonzero(subjects != person)) for person in np.unique(subjects)]


# %% 7.1 masks, not indices
def one_fold_each(subjects):
    return [(subjects != person, subjects == person) for person in np.unique(subjects)]


# %% 7.2 hits are not counted twice
def both_f1(labels, decisions):
    wrong = (labels != decisions).sum(0)
    hits, spared = (labels & decisions).sum(0), (~labels & ~decisions).sum(0)
    present, absent = hits / (hits + wrong), spared / (spared + wrong)
    return present, (present + absent) / 2


# %% 7.2 macro as the mean over AUs
def both_f1(labels, decisions):
    present = metrics.f1_positive(labels, decisions)
    return present, present.mean()


# %% 7.2 the classes weighed by how often they occur
def both_f1(labels, decisions):
    present, absent = metrics.f1_positive(labels, decisions), metrics.f1_positive(~labels, ~decisions)
    share = labels.mean(0)
    return present, share * present + (1 - share) * absent


# %% 7.3 the clip counts itself
def rate_elsewhere(labels, people):
    same = people[:, None] == people
    return same @ labels / same.sum(1, keepdims=True)


# %% 7.3 nothing where there is no other clip
def rate_elsewhere(labels, people):
    others = (people[:, None] == people) & ~np.eye(len(people), dtype=bool)
    return others @ labels / np.maximum(others.sum(1, keepdims=True), 1)


# %% 7.3 the rate of all other people
def rate_elsewhere(labels, people):
    others = people[:, None] != people
    return others @ labels / others.sum(1, keepdims=True)


# %% 7.4 scores of people are averaged, counts are not pooled
def interval(counts, weights):
    each = confusion.f1(counts).mean(1)
    return np.percentile(weights @ each / weights.sum(1), [2.5, 97.5])


# %% 7.4 the middle nine tenths
def interval(counts, weights):
    pooled = np.tensordot(weights, counts, 1)
    return np.percentile(confusion.f1(pooled).mean(1), [5, 95])


# %% 7.4 macro F1
def interval(counts, weights):
    pooled = np.tensordot(weights, counts, 1)
    return np.percentile(confusion.f1_macro(pooled).mean(1), [2.5, 97.5])


# %% 7.5 every bin weighs the same
def ece(present, probability):
    bin_of = np.minimum((probability * 10).astype(int), 9)
    bins = [bin_of == n for n in range(10) if (bin_of == n).any()]
    return np.mean([abs(present[rows].mean() - probability[rows].mean()) for rows in bins])


# %% 7.5 gaps of both signs cancel
def ece(present, probability):
    return abs(present.mean() - probability.mean())


# %% 7.5 the middle of the bin, not the mean probability in it
def ece(present, probability):
    bin_of, error = np.minimum((probability * 10).astype(int), 9), 0.0
    for n in range(10):
        rows = bin_of == n
        error += rows.mean() * abs(present[rows].mean() - (n + 0.5) / 10) if rows.any() else 0
    return error
