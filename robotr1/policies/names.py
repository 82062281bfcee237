"""Parse the name of a policy, which tells how it was trained and what its predictions answer.

Folders in models/ are "base", "sft-<form>" and "<algorithm>-seed<n>". Predictions in the open form or for blank images
have a suffix: "sft-cot-own-form", "grpo-seed0-blank". The controls of the benchmarks have names of their own.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

CONTROLS = ("oracle", "random", "majority", "text_only")  # they need no model
OPEN_FORM = "-own-form"  # suffix, as files spell it
BLANK = "-blank"

_REINFORCED = re.compile(r"(\w+)-seed(\d+)")


@dataclass(frozen=True)
class PolicyName:
    """A policy's name in its parts."""

    policy: str  # without suffixes: the folder in models/, or a control
    form: Literal["choice", "open"]  # of the questions that it answers
    images: Literal["real", "blank"]  # that it is shown
    algorithm: str | None  # "sft" or that of reinforcement learning; None for the base and controls
    seed: int | None  # None without reinforcement learning

    @property
    def control(self) -> bool:
        return self.policy in CONTROLS

    @property
    def supervised(self) -> bool:
        return self.algorithm == "sft"

    @property
    def reinforced(self) -> bool:
        return self.seed is not None

    @property
    def plain(self) -> bool:
        """Whether it answers the multiple-choice form with real images, as every policy does."""
        return (self.form, self.images) == ("choice", "real")


@cache
def parse_name(name: str) -> PolicyName:
    """The parts of a policy's name; an unknown name is a policy of its own, without an algorithm."""
    policy = name.removesuffix(OPEN_FORM).removesuffix(BLANK)
    algorithm, seed = None, None
    if match := _REINFORCED.fullmatch(policy):
        algorithm, seed = match[1], int(match[2])
    elif policy.startswith("sft-"):
        algorithm = "sft"
    return PolicyName(
        policy=policy,
        form="open" if name.endswith(OPEN_FORM) else "choice",
        images="blank" if name.removesuffix(OPEN_FORM).endswith(BLANK) else "real",
        algorithm=algorithm,
        seed=seed,
    )
