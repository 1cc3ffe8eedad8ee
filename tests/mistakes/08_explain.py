"""Plausible wrong answers of notebook 08."""

# %% 8.1 the gradient at the clip alone
def integrated_gradients(f, x, still, steps):
    point = x.clone().requires_grad_()
    return (x - still) * torch.autograd.grad(f(point).sum(), point)[0]


# %% 8.1 the mean of the gradients, without the way
def integrated_gradients(f, x, still, steps):
    total = torch.zeros_like(x)
    for m in range(steps):
        point = (still + (m + 0.5) / steps * (x - still)).requires_grad_()
        total += torch.autograd.grad(f(point).sum(), point)[0]
    return total / steps


# %% 8.1 the beginning of each step, not its middle
def integrated_gradients(f, x, still, steps):
    total = torch.zeros_like(x)
    for m in range(steps):
        point = (still + m / steps * (x - still)).requires_grad_()
        total += torch.autograd.grad(f(point).sum(), point)[0]
    return (x - still) * total / steps


# %% 8.1 a way that starts at zero
def integrated_gradients(f, x, still, steps):
    return IntegratedGradients(f).attribute(x, torch.zeros_like(x), n_steps=steps, method="riemann_middle")


# %% 8.2 each zone alone
def shapley(v):
    return np.array([v[1, 0, 0], v[0, 1, 0], v[0, 0, 1]]) - v[0, 0, 0]


# %% 8.2 each zone taken away last
def shapley(v):
    return v[1, 1, 1] - np.array([v[0, 1, 1], v[1, 0, 1], v[1, 1, 0]])


# %% 8.2 one order for all
def shapley(v):
    return np.diff([v[0, 0, 0], v[1, 0, 0], v[1, 1, 0], v[1, 1, 1]])


# %% 8.2 a sum over the orders, not a mean
def shapley(v):
    return exact(v) * 6


# %% 8.3 with the first frame
def energy(made, mask):
    places = np.maximum(made, 0).sum(0)
    return places[mask].sum() / places.sum()


# %% 8.3 what speaks against it counts too
def energy(made, mask):
    places = np.abs(made[1:]).sum(0)
    return places[mask].sum() / places.sum()


# %% 8.3 adds before it clips
def energy(made, mask):
    places = np.maximum(made[1:].sum(0), 0)
    return places[mask].sum() / places.sum()


# %% 8.3 the mean inside against the mean everywhere
def energy(made, mask):
    places = np.maximum(made[1:], 0).sum(0)
    return places[mask].mean() / places.mean()


# %% 8.4 values, not ranks
def rank_correlation(made, other):
    return np.corrcoef(made[1:].ravel(), other[1:].ravel())[0, 1]


# %% 8.4 the order, not the ranks
def rank_correlation(made, other):
    return np.corrcoef(made[1:].ravel().argsort(), other[1:].ravel().argsort())[0, 1]


# %% 8.4 with the first frame
def rank_correlation(made, other):
    ranks = [some.ravel().argsort().argsort() for some in (made, other)]
    return np.corrcoef(*ranks)[0, 1]
