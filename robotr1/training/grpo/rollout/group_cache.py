"""Keys and values of G completions per prompt: the prompt is prefilled once and its cache shared by its completions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel

from robotr1.training.grpo.rollout.decoder import Decoder


@dataclass(frozen=True)
class Prompts:
    """N prompts padded on the right: ids [N, P], lengths [N], positions [3, N, P], embeddings [N, P, h] with images."""

    ids: torch.Tensor
    lengths: torch.Tensor
    positions: torch.Tensor
    embeddings: torch.Tensor

    @classmethod
    def build(cls, core: Qwen2_5_VLModel, ids, token_types, pixel_values, grids) -> "Prompts":
        """From token ids and their types (lists of lists), pixels [patches, …] and grids [N, 3] of one image each."""
        device = core.get_input_embeddings().weight.device
        lengths = torch.tensor([len(row) for row in ids])
        real = torch.arange(int(lengths.max())) < lengths[:, None]

        def padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
            flat = torch.tensor([value for row in rows for value in row])
            return torch.zeros(real.shape, dtype=torch.long).masked_scatter(real, flat).to(device)

        tokens, types = padded(ids), padded(token_types)
        real = real.to(device)
        positions, _ = core.get_rope_index(tokens, types, grids, attention_mask=real.long())
        embeddings = core.get_input_embeddings()(tokens)
        features = torch.cat(tuple(core.get_image_features(pixel_values, grids).pooler_output))
        image_tokens = (tokens == core.config.image_token_id) & real
        embeddings = embeddings.masked_scatter(image_tokens[..., None], features.to(embeddings))
        return cls(tokens, lengths.to(device), positions, embeddings)


@dataclass
class GroupCache:
    """State of N groups of G unfinished completions. The first axis of every tensor is N."""

    keys: list[torch.Tensor]  # of the prompt, one per layer: [N, heads, d, P]
    values: list[torch.Tensor]  # [N, heads, P, d]
    own_keys: list[torch.Tensor]  # of the completions: [N, heads, G, length, d]
    own_values: list[torch.Tensor]
    padding: torch.Tensor  # [N, P] where a prompt is padding
    cosine: torch.Tensor  # [N, length, d] of the completions' positions
    sine: torch.Tensor
    groups: torch.Tensor  # [N] index of the prompt
    done: torch.Tensor  # [N, G]

    def select(self, rows: torch.Tensor) -> "GroupCache":
        """Only the groups in `rows`."""
        chosen = {
            name: [one[rows] for one in value] if isinstance(value, list) else value[rows]
            for name, value in vars(self).items()
        }
        return GroupCache(**chosen)


def prefill(decoder: Decoder, prompts: Prompts, size: int, length: int) -> tuple[GroupCache, torch.Tensor]:
    """Read each prompt once; return a cache for `size` completions of `length` tokens each, and the logits [N, V]."""
    text, x = decoder.text, prompts.embeddings
    count, width = prompts.ids.shape
    keys, values = [], []

    def attend(i, q, k, v):
        q, k, v = (one.transpose(1, 2) for one in (q, k, v))
        keys.append(k.transpose(2, 3).contiguous())
        values.append(v.contiguous())
        repeats = q.shape[1] // k.shape[1]
        k, v = (one.repeat_interleave(repeats, dim=1) for one in (k, v))
        return scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)

    hidden = decoder.run(x, text.rotary_emb(x, prompts.positions), attend)
    rows, last = torch.arange(count, device=x.device), prompts.lengths - 1
    positions = prompts.positions[:, rows, last][..., None] + 1 + torch.arange(length, device=x.device)
    cosine, sine = text.rotary_emb(x, positions)
    shape = (count, decoder.key_heads, size, length, decoder.size)
    cache = GroupCache(
        keys=keys,
        values=values,
        own_keys=[v.new_zeros(shape) for v in values],
        own_values=[v.new_zeros(shape) for v in values],
        padding=torch.arange(width, device=x.device) > last[:, None],
        cosine=cosine,
        sine=sine,
        groups=rows,
        done=torch.zeros(count, size, dtype=torch.bool, device=x.device),
    )
    return cache, decoder.head(hidden[rows, last])


def decode_step(
    decoder: Decoder, cache: GroupCache, tokens: torch.Tensor, index: torch.Tensor, width: int
) -> torch.Tensor:
    """The completions' tokens [N, G], all at `index` [1] < `width` of their completions → next logits [N, G, V]."""
    count, size = tokens.shape
    scale, repeats = decoder.size**-0.5, decoder.heads // decoder.key_heads
    future = torch.arange(width, device=tokens.device) > index
    hidden = torch.cat([cache.padding, future.expand(count, -1)], dim=1)
    bias = torch.zeros_like(hidden, dtype=cache.cosine.dtype).masked_fill(hidden, -torch.inf)[:, None, None, None]
    widths = [cache.padding.shape[1], width]

    def attend(i, q, k, v):
        q, k, v = (one.view(count, size, -1, decoder.size).transpose(1, 2) for one in (q, k, v))
        own_keys = cache.own_keys[i].index_copy_(3, index, k[..., None, :])[..., :width, :]
        own_values = cache.own_values[i].index_copy_(3, index, v[..., None, :])[..., :width, :]
        q = (q * scale).unflatten(1, (-1, repeats)).transpose(2, 3)  # [N, key heads, G, repeats, d]
        to_prompt = (q.flatten(2, 3) @ cache.keys[i]).unflatten(2, (size, repeats))
        scores = torch.cat([to_prompt, q @ own_keys.transpose(-1, -2)], dim=-1) + bias
        to_prompt, to_own = scores.softmax(dim=-1, dtype=torch.float32).to(q.dtype).split(widths, dim=-1)
        out = (to_prompt.flatten(2, 3) @ cache.values[i]).view(q.shape) + to_own @ own_values
        return out.transpose(1, 2).reshape(count * size, 1, decoder.heads, decoder.size)

    x = decoder.text.embed_tokens(tokens.reshape(-1, 1))
    rotary = [one.index_select(1, index).repeat_interleave(size, dim=0) for one in (cache.cosine, cache.sine)]
    return decoder.head(decoder.run(x, rotary, attend)).view(count, size, -1)


def captured_step(decoder: Decoder, cache: GroupCache, size: int) -> Callable[[torch.Tensor, int], torch.Tensor]:
    """`decode_step` as a CUDA graph: one call launches its hundreds of kernels, on tensors at fixed addresses."""
    width, device = cache.cosine.shape[1], cache.cosine.device
    tokens = torch.zeros(len(cache.groups), size, dtype=torch.long, device=device)
    index, side = torch.zeros(1, dtype=torch.long, device=device), torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(2):  # libraries initialise on their first calls, which a graph must not contain
            decode_step(decoder, cache, tokens, index, width)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        logits = decode_step(decoder, cache, tokens, index, width)

    def replay(new_tokens: torch.Tensor, at: int) -> torch.Tensor:
        tokens.copy_(new_tokens)
        index.fill_(at)
        graph.replay()
        return logits

    return replay
