"""Solutions to the exercises of 05_finetune_sft: `python notebooks/solutions/05_finetune_sft.py`.

Trains for 20 steps only, so that it ends soon; give another number to train longer: `… 05_finetune_sft.py 300`.
"""

import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from robotr1 import paths
from robotr1.policies.generate import complete
from robotr1.policies.load import load_policy
from robotr1.policies.processor import load_processor
from robotr1.questions.answers import is_formatted, parse_state
from robotr1.records import Question, SftExample, read_records
from robotr1.settings import load_settings
from robotr1.training.sft import finetune, loss_tokens

BASE = paths.MODELS / "base"
FORM = "direct"


def trained(rate, steps):
    """A policy fine-tuned with that learning rate; its folder is not kept."""
    settings = replace(load_settings()["finetune_sft"], form=FORM, learning_rate=rate, steps=steps)
    folder = Path(tempfile.mkdtemp()) / f"solution-sft-{rate}"
    try:
        finetune(settings, examples("train"), BASE, folder)
    finally:
        shutil.rmtree(paths.CHECKPOINTS / folder.name, ignore_errors=True)
    return load_policy(folder)


def examples(split, form=FORM):
    return [e for e in read_records(paths.QUESTIONS / f"sft_{form}.jsonl", SftExample) if e.split == split]


def median_error(policy, asked, images="real"):
    """Centimetres between written and true position; unreadable answers are left out."""
    written = complete(*policy, asked, batch_size=64, max_completion_length=64, images=images)
    said = [(parse_state(text), parse_state(e.completion)) for text, e in zip(written, asked)]
    errors = [100 * np.linalg.norm(np.subtract(place, truth)) for place, truth in said if place is not None]
    return f"{np.median(errors):.1f} cm ({len(errors)} of {len(asked)} readable)" if errors else "nothing readable"


def learning_rates(steps):
    """1. The lower rate keeps all of the multiple-choice form, the higher about half. In so few steps the lower one also has
    a smaller error in the open form (5 and 9 cm): it changed less of the base. Train longer and compare."""
    choice = read_records(paths.QUESTIONS / "validation.jsonl", Question)[::9][:60]
    policies = {rate: trained(rate, steps) for rate in (1e-3, 1e-4)}
    for rate, policy in policies.items():
        texts = complete(*policy, choice, batch_size=60, max_completion_length=64)
        kept, error = np.mean([is_formatted(text) for text in texts]), median_error(policy, examples("validation")[:60])
        print(f"learning rate {rate}: answer form {kept:.0%}, median error {error}")
    return policies[1e-3]


def share_of_the_position():
    """2. In the direct form nearly all trained tokens are the position; in `cot` they are a small part: 4 of 6 tokens, and
    4 of 66."""
    processor = load_processor(BASE)
    for form in ("direct", "cot"):
        example = next(e for e in examples("train", form) if e.id.endswith("waypoint"))
        trained_text = "".join(text for text, counts in loss_tokens(processor, example) if counts)
        count = sum(counts for _, counts in loss_tokens(processor, example))
        position = len(
            processor.tokenizer(trained_text[trained_text.rindex("[") : trained_text.rindex("]") + 1])["input_ids"]
        )
        print(f"{form}: {count} tokens are trained, {position} of them the position")


def without_the_image(policy):
    """3. What is left is the mean position of the training data. States get worse than waypoints, since waypoints are in a
    smaller region."""
    for kind in ("waypoint", "state"):
        asked = [e for e in examples("validation") if e.id.endswith(kind)][:60]
        for images in ("real", "blank"):
            print(f"{kind:9} {images:6} {median_error(policy, asked, images)}")


if __name__ == "__main__":
    policy = learning_rates(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    share_of_the_position()
    without_the_image(policy)
