"""Episodes of the EB-Manipulation protocol: their record, the brackets that must hold, and success by subset."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from robotr1 import paths
from robotr1.evaluation.controls import UNLIKELY, BenchmarkError
from robotr1.records import read_by_policy, write_by_policy
from robotr1.statistics import accuracy_interval

FILE = "embodied.jsonl"
SUBSETS = ("base", "common_sense", "complex", "spatial", "visual")
LUCK = 0.01  # more than the share of tasks that random actions do

COLUMNS = ("policy", "subset", "episodes", "success", "low", "high", "replies", "unreadable", "steps", "unreachable")


@dataclass(frozen=True, slots=True)
class Episode:
    """One scene in one wording, played by one policy."""

    policy: str
    subset: str
    task: str
    episode: int
    seed: int
    shots: int
    image_size: int
    instruction: str
    success: bool
    replies: int  # how often the policy was asked
    steps: int  # actions and unreadable replies
    unreadable: int  # replies
    unreachable: int  # actions
    refused: int  # placements that discrete actions could not do, tried before this one


def write(episodes: Sequence[Episode], folder: Path = paths.PREDICTIONS) -> None:
    """Write the episodes of the EB-Manipulation protocol, one file for each policy."""
    write_by_policy(folder, FILE, episodes)


def read(folder: Path = paths.PREDICTIONS) -> list[Episode]:
    """Read the episodes of the EB-Manipulation protocol of all policies. Raises RecordError for a broken line."""
    return read_by_policy(folder, FILE, Episode)


def check_brackets(oracle: Sequence[Episode], random: Sequence[Episode]) -> None:
    """The oracle must do every scene, since scenes are chosen so; the random planner next to none.

    Raises:
        BenchmarkError: a bracket does not hold; the message says which.
    """
    if failed := [one for one in oracle if not one.success]:
        raise BenchmarkError(
            f"the oracle fails {len(failed)} of {len(oracle)} episodes, first {failed[0].task}, {failed[0].subset}, "
            f"scene {failed[0].episode}: the runner does not execute what the scene was tried with"
        )
    wins = sum(one.success for one in random)
    if random and binomtest(wins, len(random), LUCK, alternative="greater").pvalue < UNLIKELY:
        raise BenchmarkError(f"random actions do {wins} of {len(random)} episodes: success is given away")


def summarize(episodes: Sequence[Episode], confidence: float = 0.95) -> pd.DataFrame:
    """One row per policy and subset, and over "all": success with Wilson's interval, and what went wrong."""
    rows = []
    for policy in dict.fromkeys(one.policy for one in episodes):
        for subset in (*SUBSETS, "all"):
            group = [one for one in episodes if one.policy == policy and subset in (one.subset, "all")]
            if group:
                rate = dict(
                    zip(("success", "low", "high"), accuracy_interval([one.success for one in group], confidence))
                )
                counts = {name: sum(getattr(one, name) for one in group) for name in ("replies", "unreadable")}
                counts |= {name: sum(getattr(one, name) for one in group) for name in ("steps", "unreachable")}
                rows.append({"policy": policy, "subset": subset, "episodes": len(group), **rate, **counts})
    return pd.DataFrame(rows, columns=COLUMNS)
