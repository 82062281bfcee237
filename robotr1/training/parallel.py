"""Training with several processes (`accelerate launch`): which speed-ups stay valid.

With data parallel and ZeRO 1 and 2 each process has all weights and trains on whole groups, so every speed-up works.
FSDP and ZeRO 3 shard the weights: they are complete only inside the model's own forward pass, and all processes must
call it equally often. Speed-ups that read weights directly or skip a pass are switched off there.
"""

from typing import Any

from accelerate import Accelerator
from accelerate.utils import DistributedType

NEEDS_WHOLE_WEIGHTS = ("image_cache", "lean_decoding", "shared_prefill", "cuda_graph")


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether each process holds only a part of each weight (FSDP, ZeRO 3)."""
    if accelerator.distributed_type == DistributedType.FSDP:
        return True
    plugin = getattr(accelerator.state, "deepspeed_plugin", None)
    return accelerator.distributed_type == DistributedType.DEEPSPEED and plugin.zero_stage == 3


def valid_speedups(speedups: list[str], quantization: str, accelerator: Accelerator) -> frozenset[str]:
    """The `speedups` that give the same numbers on these processes; prints which were switched off.

    Raises ValueError for NF4 with sharded weights: bitsandbytes' 4-bit layers would be cut within their blocks.
    """
    if not is_sharded(accelerator):
        return frozenset(speedups)
    if quantization == "nf4":
        raise ValueError(
            "quantization: nf4 weights cannot be sharded (FSDP, ZeRO 3). Launch with "
            "conf/accelerate/data_parallel.yaml or zero2.yaml, or set quantization: none."
        )
    off = [name for name in speedups if name in NEEDS_WHOLE_WEIGHTS]
    if off and accelerator.is_main_process:
        print(f"weights are sharded over {accelerator.num_processes} processes: switched off {', '.join(off)}")
    return frozenset(speedups) - frozenset(off)


def full_state_dict(trainer: Any) -> dict[str, Any] | None:
    """The state dict to save where weights are sharded (every process must call this), else None."""
    return trainer.accelerator.get_state_dict(trainer.model) if is_sharded(trainer.accelerator) else None
