"""Plausible wrong answers of notebook 03."""

# %% 3.1 the distance to the frame before, not to the onset
def frame_difference(clips):
    return clips[:, 1:] - clips[:, :-1]


# %% 3.1 the sign is turned
def frame_difference(clips):
    return clips[:, :1] - clips[:, 1:]


# %% 3.2 the onset is treated like every frame
def eulerian_weights(frames, alpha, r1, r2):
    frame = torch.arange(frames)
    lag = (frame - frame[:, None]).clamp_min(0)
    above = (1 - r1) ** lag * r1 - (1 - r2) ** lag * r2
    return alpha * torch.where(lag > 0, above, (r1 - r2) * torch.eye(frames))


# %% 3.2 source and output are swapped
def eulerian_weights(frames, alpha, r1, r2):
    return EulerianMotion(frames, alpha=alpha, r1=r1, r2=r2).weights().detach().T


# %% 3.3 without the ridge
def solve(xx, xy, yy, ex, ey, ridge):
    determinant = xx * yy - xy * xy
    return torch.stack([(yy * ex - xy * ey) / determinant, (xx * ey - xy * ex) / determinant])


# %% 3.3 x and y are swapped
def solve(xx, xy, yy, ex, ey, ridge):
    xx, yy = xx + ridge, yy + ridge
    determinant = xx * yy - xy * xy
    return torch.stack([(xx * ey - xy * ex) / determinant, (yy * ex - xy * ey) / determinant])


# %% 3.4 gradients are blurred, not their products
def lucas_kanade(onset, later, window, ridge):
    gx, gy = (blur(some, window) for some in gradient(onset))
    error = blur(onset - later, window)
    xx, yy = gx * gx + ridge, gy * gy + ridge
    determinant = xx * yy - (gx * gy) ** 2
    ex, ey = gx * error, gy * error
    return torch.stack([(yy * ex - gx * gy * ey) / determinant, (xx * ey - gx * gy * ex) / determinant], 1)


# %% 3.4 the error has the wrong sign
def lucas_kanade(onset, later, window, ridge):
    return -one_step(onset, later, window, ridge)


# %% 3.5 without normalising
def nearest(maps, templates):
    return (maps.flatten(1) @ templates.flatten(1).T).argmax(1)


# %% 3.5 the least similar one
def nearest(maps, templates):
    return torch.nn.functional.cosine_similarity(maps.flatten(1)[:, None], templates.flatten(1)[None], dim=-1).argmin(1)


# %% 3.6 mean of the components, not of the lengths
left_over = tuple(picture.mean().item() for picture in pictures)


# %% 3.6 the wrong order
left_over = tuple(picture.norm(dim=0).mean().item() for picture in reversed(pictures))
