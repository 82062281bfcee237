"""Ask a policy the open questions of the reasoning benchmark."""

from collections.abc import Sequence

from robotr1 import paths
from robotr1.evaluation.reasoning import ReasoningItem
from robotr1.settings import RunBenchmarks


def ask(policy: str, items: Sequence[ReasoningItem], settings: RunBenchmarks) -> list[str | None]:
    """One completion per item by the policy in `models/<policy>`; None where the image is missing or broken.

    Such items are counted as not answered; they do not stop the others. Raises PolicyError for a folder without a
    policy.
    """
    import torch

    from robotr1.policies.generate import complete
    from robotr1.policies.load import load_policy

    torch.set_num_threads(settings.threads)
    model, processor = load_policy(paths.MODELS / policy, quantization=settings.quantization)
    shown = [index for index, item in enumerate(items) if _has_image(item)]
    written = complete(
        model,
        processor,
        [items[index] for index in shown],
        batch_size=settings.batch_size,
        max_completion_length=settings.max_completion_length,
        temperature=settings.temperature,
        seed=settings.seed,
    )
    completions: list[str | None] = [None] * len(items)
    for index, completion in zip(shown, written, strict=True):
        completions[index] = completion
    return completions


def _has_image(item: ReasoningItem) -> bool:
    from robotr1.policies.images import load_image

    try:
        load_image(item.image)
    except ValueError:
        return False
    return True
