"""Write many completions: each prompt is read once, then all its answers grow by one token at a time.

transformers' `generate` serves every model and every wish, and pays for it in each step: wrappers around every layer,
an adapter beside every weight, a cache that is copied as it grows, prompts repeated G times. This module does one
thing, for one architecture, and takes the weights from the model as it stands:

- one prefill a question; its keys and values are shared by the G answers (they are not even copied),
- room for the answers' own keys and values is made once,
- layers that read the same input are one product, and LoRA is folded into the weights (float32) or runs beside them,
- groups that have come to their end leave the batch.

The law of sampling is transformers' own: temperature, then top-p (its own function), then a draw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.integrations import dequantize_module_weight
from torch.nn.functional import linear, pad, scaled_dot_product_attention, silu
from transformers import TopPLogitsWarper
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel, apply_rotary_pos_emb

LEAVE = 0.8  # finished groups leave once only this share is left; each time copies the keys and values of the others


@dataclass(frozen=True)
class Sampling:
    """How completions are drawn: `length` tokens at most; `ends`, `never` and `pad` are token ids."""

    length: int
    temperature: float
    top_p: float
    ends: Sequence[int]
    never: Sequence[int]
    pad: int


@dataclass(frozen=True)
class Prompts:
    """N prompts padded on the right. ids [N, P], lengths [N], positions [3, N, P], embeddings [N, P, h] with images."""

    ids: torch.Tensor
    lengths: torch.Tensor
    positions: torch.Tensor
    embeddings: torch.Tensor

    @classmethod
    def build(cls, core: Qwen2_5_VLModel, ids, kinds, pixel_values, grids) -> "Prompts":
        """From token ids and their kinds (lists of lists), pixels [patches, …] and grids [N, 3] of one image each."""
        device = core.get_input_embeddings().weight.device
        lengths = torch.tensor([len(row) for row in ids])
        real = torch.arange(int(lengths.max())) < lengths[:, None]

        def padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
            flat = torch.tensor([value for row in rows for value in row])
            return torch.zeros(real.shape, dtype=torch.long).masked_scatter(real, flat).to(device)

        tokens, real = padded(ids), real.to(device)
        positions, _ = core.get_rope_index(tokens, padded(kinds), grids, attention_mask=real.long())
        embeddings = core.get_input_embeddings()(tokens)
        features = torch.cat(tuple(core.get_image_features(pixel_values, grids).pooler_output))
        places = (tokens == core.config.image_token_id) & real
        embeddings = embeddings.masked_scatter(places[..., None], features.to(embeddings))
        return cls(tokens, lengths.to(device), positions, embeddings)


class Product:
    """Linear layers that read the same input, as one product; with their LoRA adapters.

    In float32 the adapter is added to the weight. In lower precision that would round small changes away, so it stays
    beside. `dense` False leaves the layers as they are stored (NF4): slower, but without a second copy of the weights.
    """

    def __init__(self, layers: Sequence[torch.nn.Module], dense: bool):
        self.layers, self.down = layers, None
        if not dense:
            return
        bases = [layer.get_base_layer() if isinstance(layer, BaseTunerLayer) else layer for layer in layers]
        weights = [dequantize_module_weight(base).detach() for base in bases]
        biases = [base.bias for base in bases if base.bias is not None]
        adapters = [adapter(layer) for layer in layers]
        if weights[0].dtype == torch.float32:
            pairs = zip(weights, adapters, strict=True)
            weights = [w if a is None else w + a[1].float() @ a[0].float() for w, a in pairs]
        elif all(adapters):
            self.down = torch.cat([a for a, _ in adapters]).to(weights[0])
            self.up = torch.block_diag(*(b for _, b in adapters)).to(weights[0])
        self.weight = torch.cat(weights) if len(weights) > 1 else weights[0]
        self.bias = torch.cat(biases) if biases else None
        self.layers = None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if self.layers is not None:
            return torch.cat([layer(x) for layer in self.layers], dim=-1)
        y = linear(x, self.weight, self.bias)
        return y if self.down is None else y + linear(linear(x, self.down), self.up)


def adapter(layer: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor] | None:
    """LoRA's two matrices A [r, in] and scaled B [out, r] of a layer whose adapter is active, else None."""
    if not isinstance(layer, BaseTunerLayer) or layer.disable_adapters:
        return None
    (name,) = layer.active_adapters
    return layer.lora_A[name].weight.detach(), layer.lora_B[name].weight.detach() * layer.scaling[name]


class Decoder:
    """The language model of a Qwen2.5-VL, laid out for writing. Holds the weights as they are when it is made."""

    def __init__(self, core: Qwen2_5_VLModel, head: torch.nn.Module, dense: bool = True):
        self.text, self.head = core.language_model, head
        config = self.text.config
        self.heads, self.shared_heads = config.num_attention_heads, config.num_key_value_heads
        self.size = config.hidden_size // config.num_attention_heads
        self.parts = []
        for layer in self.text.layers:
            attention, mlp = layer.self_attn, layer.mlp
            groups = ([attention.q_proj, attention.k_proj, attention.v_proj], [attention.o_proj])
            groups += ([mlp.gate_proj, mlp.up_proj], [mlp.down_proj])
            products = [Product(group, dense) for group in groups]
            self.parts.append((layer.input_layernorm, layer.post_attention_layernorm, *products))

    def run(self, x: torch.Tensor, rotary: tuple[torch.Tensor, torch.Tensor], attend) -> torch.Tensor:
        """Embeddings [rows, L, h] through all layers; `attend(layer, q, k, v)` on [rows, L, heads, d]."""
        split = [self.heads, self.shared_heads, self.shared_heads]
        for i, (norm, second_norm, qkv, out, gate_up, down) in enumerate(self.parts):
            q, k, v = qkv(norm(x)).unflatten(-1, (sum(split), self.size)).split(split, dim=-2)
            q, k = apply_rotary_pos_emb(q, k, *rotary, unsqueeze_dim=2)
            x = x + out(attend(i, q, k, v).flatten(-2))
            gate, up = gate_up(second_norm(x)).chunk(2, dim=-1)
            x = x + down(silu(gate) * up)
        return self.text.norm(x)


@dataclass
class Answers:
    """Everything that N groups of G unfinished answers need. All tensors have N in front."""

    keys: list[torch.Tensor]  # of the prompt, one a layer: [N, heads, d, P]
    values: list[torch.Tensor]  # [N, heads, P, d]
    own_keys: list[torch.Tensor]  # of the answers: [N, heads, G, length, d]
    own_values: list[torch.Tensor]
    hidden: torch.Tensor  # [N, P] where a prompt is padding
    cosine: torch.Tensor  # [N, length, d] of the answers' positions
    sine: torch.Tensor
    groups: torch.Tensor  # [N] which prompt
    done: torch.Tensor  # [N, G]

    def keep(self, rows: torch.Tensor) -> "Answers":
        """Only the groups in `rows`."""
        chosen = {
            name: [one[rows] for one in value] if isinstance(value, list) else value[rows]
            for name, value in vars(self).items()
        }
        return Answers(**chosen)


def prefill(decoder: Decoder, prompts: Prompts, size: int, length: int) -> tuple[Answers, torch.Tensor]:
    """Read each prompt once; returns room for `size` answers of `length` tokens each and the logits [N, V]."""
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
    onwards = prompts.positions[:, rows, last][..., None] + 1 + torch.arange(length, device=x.device)
    cosine, sine = text.rotary_emb(x, onwards)
    room = (count, decoder.shared_heads, size, length, decoder.size)
    padding = torch.arange(width, device=x.device) > last[:, None]
    answers = Answers(
        keys,
        values,
        [v.new_zeros(room) for v in values],
        [v.new_zeros(room) for v in values],
        padding,
        cosine,
        sine,
        rows,
        torch.zeros(count, size, dtype=torch.bool, device=x.device),
    )
    return answers, decoder.head(hidden[rows, last])


def step(decoder: Decoder, answers: Answers, tokens: torch.Tensor, place: torch.Tensor, upto: int) -> torch.Tensor:
    """The answers' tokens [N, G], all at `place` [1] < `upto` of their answers → logits [N, G, V] of the next ones."""
    count, size = tokens.shape
    scale, repeats = decoder.size**-0.5, decoder.heads // decoder.shared_heads
    ahead = torch.arange(upto, device=tokens.device) > place
    hidden = torch.cat([answers.hidden, ahead.expand(count, -1)], dim=1)
    bias = torch.zeros_like(hidden, dtype=answers.cosine.dtype).masked_fill(hidden, -torch.inf)[:, None, None, None]
    widths = [answers.hidden.shape[1], upto]

    def attend(i, q, k, v):
        q, k, v = (one.view(count, size, -1, decoder.size).transpose(1, 2) for one in (q, k, v))
        own_keys = answers.own_keys[i].index_copy_(3, place, k[..., None, :])[..., :upto, :]
        own_values = answers.own_values[i].index_copy_(3, place, v[..., None, :])[..., :upto, :]
        q = (q * scale).unflatten(1, (-1, repeats)).transpose(2, 3)  # [N, shared heads, G, repeats, d]
        asked = (q.flatten(2, 3) @ answers.keys[i]).unflatten(2, (size, repeats))
        scores = torch.cat([asked, q @ own_keys.transpose(-1, -2)], dim=-1) + bias
        asked, own = scores.softmax(dim=-1, dtype=torch.float32).to(q.dtype).split(widths, dim=-1)
        out = (asked.flatten(2, 3) @ answers.values[i]).view(q.shape) + own @ own_values
        return out.transpose(1, 2).reshape(count * size, 1, decoder.heads, decoder.size)

    x = decoder.text.embed_tokens(tokens.reshape(-1, 1))
    rotary = [one.index_select(1, place).repeat_interleave(size, dim=0) for one in (answers.cosine, answers.sine)]
    return decoder.head(decoder.run(x, rotary, attend)).view(count, size, -1)


def captured_step(decoder: Decoder, answers: Answers, size: int) -> Callable[[torch.Tensor, int], torch.Tensor]:
    """`step` as a CUDA graph: its hundreds of kernels are started by one call, on tensors that stay where they are."""
    upto, device = answers.cosine.shape[1], answers.cosine.device
    tokens = torch.zeros(len(answers.groups), size, dtype=torch.long, device=device)
    place, side = torch.zeros(1, dtype=torch.long, device=device), torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(2):  # libraries set themselves up on their first calls, which a graph must not hold
            step(decoder, answers, tokens, place, upto)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        logits = step(decoder, answers, tokens, place, upto)

    def replay(found: torch.Tensor, at: int) -> torch.Tensor:
        tokens.copy_(found)
        place.fill_(at)
        graph.replay()
        return logits

    return replay


def draw(logits: torch.Tensor, sampling: Sampling) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sample from logits [rows, V]: tokens, their log-probabilities and the entropies, each [rows].

    Log-probabilities and entropies are those of the loss: with temperature, before `never` and top-p. The draw is one
    uniform number a row, looked up in the cumulative distribution.
    """
    logits = logits.float() / sampling.temperature
    logps = logits.log_softmax(dim=-1)
    probabilities = logps.exp()
    entropies = -(probabilities * logps).sum(dim=-1)
    if sampling.top_p < 1:
        allowed = logits.index_fill(1, torch.tensor(sampling.never, dtype=torch.long, device=logits.device), -torch.inf)
        probabilities = TopPLogitsWarper(sampling.top_p)(None, allowed).softmax(dim=-1)
    else:
        probabilities[:, list(sampling.never)] = 0
    cumulative = probabilities.cumsum(dim=-1)
    below_one = torch.rand(len(logits), 1, device=logits.device) * (1 - 1e-6)
    tokens = torch.searchsorted(cumulative, below_one * cumulative[:, -1:], right=True)
    return tokens[:, 0], logps.gather(1, tokens)[:, 0], entropies


@dataclass(frozen=True)
class Completions:
    """N * G rows, answers of a prompt side by side: tokens up to their end, log-probabilities and entropies of each."""

    ids: list[list[int]]
    logps: torch.Tensor  # [rows, longest], zero behind the end
    entropies: torch.Tensor

    def pick(self, rows: torch.Tensor) -> "Completions":
        """These rows, in this order."""
        return Completions([self.ids[row] for row in rows.tolist()], self.logps[rows], self.entropies[rows])


def join(parts: Sequence[Completions]) -> Completions:
    """All rows of `parts` under one another."""
    longest = max(part.logps.shape[1] for part in parts)
    wide = ([pad(one, (0, longest - one.shape[1])) for one in (part.logps, part.entropies)] for part in parts)
    return Completions([row for part in parts for row in part.ids], *(torch.cat(one) for one in zip(*wide)))


@torch.no_grad()
def write(decoder: Decoder, prompts: Prompts, size: int, sampling: Sampling, graph: bool = False) -> Completions:
    """Sample `size` completions to each prompt; `graph` replays each step as a CUDA graph."""
    answers, logits = prefill(decoder, prompts, size, sampling.length - 1)
    logits = logits[:, None].expand(-1, size, -1)
    replay = captured_step(decoder, answers, size) if graph else None
    shape, device = (len(logits), size, sampling.length), logits.device
    tokens = torch.full(shape, sampling.pad, device=device)
    logps, entropies = torch.zeros(2, *shape, device=device)
    ends = torch.tensor(list(sampling.ends), device=device)
    for place in range(sampling.length):
        found, logp, entropy = (one.view(logits.shape[:2]) for one in draw(logits.flatten(0, 1), sampling))
        found = found.masked_fill(answers.done, sampling.pad)
        tokens[answers.groups, :, place] = found
        logps[answers.groups, :, place] = logp.masked_fill(answers.done, 0)
        entropies[answers.groups, :, place] = entropy.masked_fill(answers.done, 0)
        answers.done = answers.done | torch.isin(found, ends)
        unfinished = ~answers.done.all(dim=1)
        left = int(unfinished.sum())
        if left == 0 or place + 1 == sampling.length:
            break
        if replay is None and left <= LEAVE * len(found):
            answers, found = answers.keep(unfinished), found[unfinished]
        at = torch.full((1,), place, device=device)
        logits = replay(found, place) if replay else step(decoder, answers, found, at, place + 1)
    tokens = tokens[..., : place + 1].flatten(0, 1)
    finished = torch.isin(tokens, ends)
    written = finished.cumsum(dim=1) - finished.int() == 0  # an end belongs to the completion
    rows = [row[seen].tolist() for row, seen in zip(tokens.cpu(), written.cpu(), strict=True)]
    return Completions(rows, *(one[..., : place + 1].flatten(0, 1) for one in (logps, entropies)))
