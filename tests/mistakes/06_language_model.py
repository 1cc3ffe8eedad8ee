"""Plausible wrong answers of notebook 06."""

# %% 6.1 the scale is forgotten
def lora_linear(x, weight, A, B, scale):
    return x @ weight.T + x @ A.T @ B.T


# %% 6.1 the scale is put on everything
def lora_linear(x, weight, A, B, scale):
    return scale * (x @ weight.T + x @ A.T @ B.T)


# %% 6.1 the detour alone
def lora_linear(x, weight, A, B, scale):
    return scale * (x @ A.T @ B.T)


# %% 6.2 one layer only
def lora_weights(width, queries, values, layers, rank):
    return rank * ((width + queries) + (width + values))


# %% 6.2 values are taken to be as wide as queries
def lora_weights(width, queries, values, layers, rank):
    return 2 * layers * rank * (width + queries)


# %% 6.2 whole matrices, not LoRA
def lora_weights(width, queries, values, layers, rank):
    return layers * (width * queries + width * values)


# %% 6.3 the token first
def sequence(prompt, tokens):
    return torch.cat([tokens, prompt.expand(len(tokens), -1, -1)], dim=1)


# %% 6.3 the token of the first clip in every row
def sequence(prompt, tokens):
    return torch.cat([prompt, tokens[0]]).expand(len(tokens), -1, -1)


# %% 6.3 all tokens behind one prompt
def sequence(prompt, tokens):
    return torch.cat([prompt, tokens[:, 0]])[None]


# %% 6.4 the token does not see itself
def attend(q, k, v, keys, values):
    return (q @ keys.T / q.shape[1] ** 0.5).softmax(dim=1) @ values


# %% 6.4 without the root of D
def attend(q, k, v, keys, values):
    weights = torch.cat([q @ keys.T, (q * k).sum(1, keepdim=True)], dim=1).softmax(dim=1)
    return weights[:, :-1] @ values + weights[:, -1:] * v


# %% 6.4 every token sees the tokens of the other clips
def attend(q, k, v, keys, values):
    weights = (q @ torch.cat([keys, k]).T / q.shape[1] ** 0.5).softmax(dim=1)
    return weights @ torch.cat([values, v])


# %% 6.4 the softmax runs over the clips
def attend(q, k, v, keys, values):
    scores = torch.cat([q @ keys.T, (q * k).sum(1, keepdim=True)], dim=1) / q.shape[1] ** 0.5
    weights = scores.softmax(dim=0)
    return weights[:, :-1] @ values + weights[:, -1:] * v
