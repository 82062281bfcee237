"""Several processes (`accelerate launch`): what stays sound there.

Data parallel and ZeRO 1 and 2: each process has all weights and learns from whole groups of its own, so every speed-up
stays. FSDP and ZeRO 3 spread the weights over the processes: they are whole only within the model's own forward pass,
and all processes must enter it equally often. What reads weights from outside, or skips a pass, is switched off there.
"""

from typing import Any

from accelerate import Accelerator
from accelerate.utils import DistributedType

NEEDS_WHOLE_WEIGHTS = ("image_cache", "lean_decoding", "shared_prefill", "cuda_graph")


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether a process holds a part of each weight only (FSDP, ZeRO 3)."""
    if accelerator.distributed_type == DistributedType.FSDP:
        return True
    plugin = getattr(accelerator.state, "deepspeed_plugin", None)
    return accelerator.distributed_type == DistributedType.DEEPSPEED and plugin.zero_stage == 3


def sound_speedups(speedups: list[str], quantization: str, accelerator: Accelerator) -> frozenset[str]:
    """Those of `speedups` that give the same numbers on these processes; says which were switched off.

    Raises ValueError for NF4 on spread weights: bitsandbytes' 4-bit layers would be cut in the middle of their blocks.
    """
    if not is_sharded(accelerator):
        return frozenset(speedups)
    if quantization == "nf4":
        raise ValueError(
            "quantization: nf4 weights cannot be spread over processes (FSDP, ZeRO 3). Launch with "
            "conf/accelerate/data_parallel.yaml or zero2.yaml, or set quantization: none."
        )
    off = [name for name in speedups if name in NEEDS_WHOLE_WEIGHTS]
    if off and accelerator.is_main_process:
        print(f"weights are spread over {accelerator.num_processes} processes: without {', '.join(off)}")
    return frozenset(speedups) - frozenset(off)


def whole_weights(trainer: Any) -> dict[str, Any] | None:
    """The state dict to save where weights are spread (every process must call this), else None."""
    return trainer.accelerator.get_state_dict(trainer.model) if is_sharded(trainer.accelerator) else None
