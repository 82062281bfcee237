"""A Qwen2.5-VL's language model laid out for fast sampling: fused linear layers, LoRA merged or beside them."""

from collections.abc import Callable, Sequence

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.integrations import dequantize_module_weight
from torch.nn.functional import linear, silu
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel, apply_rotary_pos_emb


class FusedLinear:
    """Linear layers with the same input as one matrix product, including their LoRA adapters.

    In float32 the adapter is added to the weight. In lower precision that would round small changes away, so it stays
    separate. `dense` False keeps the layers as they are stored (NF4): slower, but without a second copy of the weights.
    """

    def __init__(self, layers: Sequence[torch.nn.Module], dense: bool):
        self.layers, self.down = layers, None
        if not dense:
            return
        bases = [layer.get_base_layer() if isinstance(layer, BaseTunerLayer) else layer for layer in layers]
        weights = [dequantize_module_weight(base).detach() for base in bases]
        biases = [base.bias for base in bases if base.bias is not None]
        adapters = [lora_matrices(layer) for layer in layers]
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


def lora_matrices(layer: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor] | None:
    """LoRA's A [r, in] and scaled B [out, r] of a layer whose adapter is active, else None."""
    if not isinstance(layer, BaseTunerLayer) or layer.disable_adapters:
        return None
    (name,) = layer.active_adapters
    return layer.lora_A[name].weight.detach(), layer.lora_B[name].weight.detach() * layer.scaling[name]


class Decoder:
    """The language model of a Qwen2.5-VL for sampling; copies the weights as they are when it is made."""

    def __init__(self, core: Qwen2_5_VLModel, head: torch.nn.Module, dense: bool = True):
        self.text, self.head = core.language_model, head
        config = self.text.config
        self.heads, self.key_heads = config.num_attention_heads, config.num_key_value_heads
        self.size = config.hidden_size // config.num_attention_heads
        self.layers = []
        for layer in self.text.layers:
            attention, mlp = layer.self_attn, layer.mlp
            groups = ([attention.q_proj, attention.k_proj, attention.v_proj], [attention.o_proj])
            groups += ([mlp.gate_proj, mlp.up_proj], [mlp.down_proj])
            fused = [FusedLinear(group, dense) for group in groups]
            self.layers.append((layer.input_layernorm, layer.post_attention_layernorm, *fused))

    def run(self, x: torch.Tensor, rotary: tuple[torch.Tensor, torch.Tensor], attend: Callable) -> torch.Tensor:
        """Embeddings [rows, L, h] through all layers; `attend(layer, q, k, v)` gets [rows, L, heads, d]."""
        split = [self.heads, self.key_heads, self.key_heads]
        for i, (norm, second_norm, qkv, out, gate_up, down) in enumerate(self.layers):
            q, k, v = qkv(norm(x)).unflatten(-1, (sum(split), self.size)).split(split, dim=-2)
            q, k = apply_rotary_pos_emb(q, k, *rotary, unsqueeze_dim=2)
            x = x + out(attend(i, q, k, v).flatten(-2))
            gate, up = gate_up(second_norm(x)).chunk(2, dim=-1)
            x = x + down(silu(gate) * up)
        return self.text.norm(x)
