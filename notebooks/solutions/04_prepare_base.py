"""Solutions to the exercises of 04_prepare_base: `python notebooks/solutions/04_prepare_base.py` (about a minute)."""

import re

import numpy as np

from robotr1 import paths
from robotr1.policies.adapters import LORA_TARGETS
from robotr1.policies.generate import complete
from robotr1.policies.load import load_policy
from robotr1.questions.answers import parse_answer
from robotr1.records import Question, read_records
from robotr1.statistics import accuracy_interval

SOME = 150  # questions of each kind; raise it for narrower intervals


def accuracy(policy, questions, images="real"):
    written = complete(*policy, questions, batch_size=50, max_completion_length=64, images=images)
    value, low, high = accuracy_interval([parse_answer(text) == q.answer for text, q in zip(written, questions)])
    return f"{value:.0%} [{low:.0%}, {high:.0%}] of {len(questions)}"


def some(split, types=("waypoint", "state", "movement")):
    found = [
        question for question in read_records(paths.QUESTIONS / f"{split}.jsonl", Question) if question.type in types
    ]
    chosen = np.random.default_rng(0).permutation(len(found))[:SOME]
    return [found[i] for i in chosen]


def shuffled(policy):
    """1. No: a grey image has no information, a wrong one has false information: the policy describes the other scene.
    Both numbers fall to about chance, for different reasons."""
    for images in ("real", "blank", "shuffled"):
        print(f"{images:9}", accuracy(policy, some("validation"), images))


def held_out_states(policy):
    """2. Hardly: the arm looks the same with any object on the table. A difference would show how well the vision tower
    generalises to other objects. Nothing may be tuned by it."""
    for split in ("validation", "test_out"):
        print(f"states of {split:11}", accuracy(policy, some(split, ["state"])))


def lora_layers(policy):
    """3. Seven linear layers in each block of the language model, and nothing in `visual`."""
    names = [name for name, _ in policy[0].named_modules() if re.fullmatch(LORA_TARGETS, name)]
    assert names and not any("visual" in name for name in names)
    print(f"{len(names)} layers, for example {names[0]}")


if __name__ == "__main__":
    base = load_policy(paths.MODELS / "base")
    shuffled(base)
    held_out_states(base)
    lora_layers(base)
