"""Plausible wrong answers of notebook 04."""

# %% 4.1 as if the layer were padded
def size_after(size, kernel, stride):
    return tuple(n // s for n, s in zip(size, stride))


# %% 4.1 rounds up
def size_after(size, kernel, stride):
    return tuple(-(-(n - k) // s) + 1 for n, k, s in zip(size, kernel, stride))


# %% 4.1 forgets the first place
def size_after(size, kernel, stride):
    return tuple((n - k) // s for n, k, s in zip(size, kernel, stride))


# %% 4.1 forgets the stride
def size_after(size, kernel, stride):
    return tuple(n - k + 1 for n, k in zip(size, kernel))


# %% 4.2 x and y are swapped
def conv_at(motion, weight, bias, t, y, x):
    depth, height, width = weight.shape[2:]
    box = motion[:, t : t + depth, x : x + height, y : y + width]
    return (weight * box).sum(dim=(1, 2, 3, 4)) + bias


# %% 4.2 the filter is turned round, as in a mathematical convolution
def conv_at(motion, weight, bias, t, y, x):
    depth, height, width = weight.shape[2:]
    box = motion[:, t : t + depth, y : y + height, x : x + width]
    return (weight.flip(2, 3, 4) * box).sum(dim=(1, 2, 3, 4)) + bias


# %% 4.2 without the bias
def conv_at(motion, weight, bias, t, y, x):
    depth, height, width = weight.shape[2:]
    box = motion[:, t : t + depth, y : y + height, x : x + width]
    return (weight * box).sum(dim=(1, 2, 3, 4))


# %% 4.2 the mean instead of the sum
def conv_at(motion, weight, bias, t, y, x):
    depth, height, width = weight.shape[2:]
    box = motion[:, t : t + depth, y : y + height, x : x + width]
    return (weight * box).mean(dim=(1, 2, 3, 4)) + bias


# %% 4.3 one gate for the whole clip
def squeeze_excite(x, down, up):
    squeezed = x.mean(dim=(-3, -2, -1))
    gate = torch.sigmoid(torch.relu(squeezed @ down.T) @ up.T)
    return x * gate[..., None, None, None]


# %% 4.3 without the ReLU in between
def squeeze_excite(x, down, up):
    squeezed = x.mean(dim=(-2, -1)).mT
    return x * torch.sigmoid(squeezed @ down.T @ up.T).mT[..., None, None]


# %% 4.3 the largest value instead of the mean
def squeeze_excite(x, down, up):
    squeezed = x.amax(dim=(-2, -1)).mT
    gate = torch.sigmoid(torch.relu(squeezed @ down.T) @ up.T)
    return x * gate.mT[..., None, None]


# %% 4.3 the gate itself, not the gated features
def squeeze_excite(x, down, up):
    squeezed = x.mean(dim=(-2, -1)).mT
    gate = torch.sigmoid(torch.relu(squeezed @ down.T) @ up.T)
    return gate.mT[..., None, None].expand_as(x)


# %% 4.4 the step grows first
def field_of(kernels, strides):
    field, step = 1, 1
    for kernel, stride in zip(kernels, strides):
        step *= stride
        field += (kernel - 1) * step
    return field


# %% 4.4 steps are forgotten
def field_of(kernels, strides):
    return 1 + sum(kernel - 1 for kernel in kernels)


# %% 4.4 the whole kernel is added
def field_of(kernels, strides):
    field, step = 0, 1
    for kernel, stride in zip(kernels, strides):
        field += kernel * step
        step *= stride
    return field


# %% 4.4 only this layer's own stride counts
def field_of(kernels, strides):
    field = 1
    for kernel, stride in zip(kernels, strides):
        field += (kernel - 1) * stride
    return field
