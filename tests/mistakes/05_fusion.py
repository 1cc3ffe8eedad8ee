"""Plausible wrong answers of notebook 05."""

# %% 5.1 biases are forgotten
def paper_weights(joined, width):
    hidden = (joined + width) // 2
    return joined * hidden + hidden * width


# %% 5.1 the hidden layer is as wide as both together
def paper_weights(joined, width):
    hidden = joined + width
    return (joined + 1) * hidden + (hidden + 1) * width


# %% 5.1 only the first layer
def paper_weights(joined, width):
    return (joined + 1) * ((joined + width) // 2)


# %% 5.2 the axis within the cell comes first, so that distant rows share a cell
def pool_grid(mid, grid):
    b, c, t, h, w = mid.shape
    return mid.reshape(b, c, t, h // grid, grid, w // grid, grid).mean(dim=(3, 5))


# %% 5.2 the largest value instead of the mean
def pool_grid(mid, grid):
    return F.adaptive_max_pool3d(mid, (mid.shape[2], grid, grid))


# %% 5.2 time is pooled, too
def pool_grid(mid, grid):
    return F.adaptive_avg_pool3d(mid, grid)


# %% 5.2 one value of each cell instead of the mean of all
def pool_grid(mid, grid):
    return mid[..., :: mid.shape[3] // grid, :: mid.shape[4] // grid]


# %% 5.3 high stands before mid
def fuse(mid, high, weights):
    joined = torch.cat([high, F.adaptive_avg_pool3d(mid, (2, 3, 3)).flatten(1)], dim=1)
    normal = F.layer_norm(joined, joined.shape[1:], weights["mlp.0.weight"], weights["mlp.0.bias"])
    hidden = F.gelu(F.linear(normal, weights["mlp.1.weight"], weights["mlp.1.bias"]))
    return F.linear(hidden, weights["mlp.4.weight"], weights["mlp.4.bias"])[:, None]


# %% 5.3 without the layer norm
def fuse(mid, high, weights):
    joined = torch.cat([F.adaptive_avg_pool3d(mid, (2, 3, 3)).flatten(1), high], dim=1)
    hidden = F.gelu(F.linear(joined, weights["mlp.1.weight"], weights["mlp.1.bias"]))
    return F.linear(hidden, weights["mlp.4.weight"], weights["mlp.4.bias"])[:, None]


# %% 5.3 ReLU, as in the paper's projector
def fuse(mid, high, weights):
    joined = torch.cat([F.adaptive_avg_pool3d(mid, (2, 3, 3)).flatten(1), high], dim=1)
    normal = F.layer_norm(joined, joined.shape[1:], weights["mlp.0.weight"], weights["mlp.0.bias"])
    hidden = F.relu(F.linear(normal, weights["mlp.1.weight"], weights["mlp.1.bias"]))
    return F.linear(hidden, weights["mlp.4.weight"], weights["mlp.4.bias"])[:, None]


# %% 5.3 the norm has no weights of its own
def fuse(mid, high, weights):
    joined = torch.cat([F.adaptive_avg_pool3d(mid, (2, 3, 3)).flatten(1), high], dim=1)
    hidden = F.gelu(F.linear(F.layer_norm(joined, joined.shape[1:]), weights["mlp.1.weight"], weights["mlp.1.bias"]))
    return F.linear(hidden, weights["mlp.4.weight"], weights["mlp.4.bias"])[:, None]


# %% 5.3 the token has no axis for its place in the sequence
def fuse(mid, high, weights):
    return projected(mid, high, weights)[:, 0]


# %% 5.4 looks at the new clips for the best guess
def chance(known, new):
    return float(np.unique(new, return_counts=True)[1].max() / len(new))


# %% 5.4 as if all answers were alike frequent
def chance(known, new):
    return 1 / len(np.unique(known))


# %% 5.4 the share among the known clips
def chance(known, new):
    return float(np.unique(known, return_counts=True)[1].max() / len(known))
