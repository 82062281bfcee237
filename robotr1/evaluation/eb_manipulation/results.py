"""Results of the EB-Manipulation protocol: episodes on disk, and success by policy and subset."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.records import read_by_policy, write_by_policy
from robotr1.statistics import accuracy_interval

FILE = "embodied.jsonl"
SUBSETS = ("base", "common_sense", "complex", "spatial", "visual")
COUNTS = ("replies", "unreadable", "steps", "unreachable")
COLUMNS = ("policy", "subset", "episodes", "success", "low", "high", *COUNTS)


@dataclass(frozen=True, slots=True)
class Episode:
    """One scene with one wording of its instruction, run by one policy."""

    policy: str
    subset: str
    task: str
    episode: int
    seed: int
    shots: int
    image_size: int
    instruction: str
    success: bool
    replies: int  # completions of the policy
    steps: int  # actions and unreadable replies
    unreadable: int  # replies
    unreachable: int  # actions
    refused: int  # placements tried before this one that discrete actions cannot solve


def write(episodes: Sequence[Episode], folder: Path = paths.PREDICTIONS) -> None:
    """Write the episodes of the EB-Manipulation protocol, one file for each policy."""
    write_by_policy(folder, FILE, episodes)


def read(folder: Path = paths.PREDICTIONS) -> list[Episode]:
    """Read the episodes of the EB-Manipulation protocol of all policies. Raises RecordError for a broken line."""
    return read_by_policy(folder, FILE, Episode, key=("subset", "task", "episode"))


def summarize(episodes: Sequence[Episode], confidence: float = 0.95) -> pd.DataFrame:
    """One row per policy and subset, and per policy over "all": success with Wilson's interval, and COUNTS."""
    rows = []
    for policy in dict.fromkeys(one.policy for one in episodes):
        for subset in (*SUBSETS, "all"):
            group = [one for one in episodes if one.policy == policy and subset in (one.subset, "all")]
            if group:
                rate = dict(
                    zip(("success", "low", "high"), accuracy_interval([one.success for one in group], confidence))
                )
                counts = {name: sum(getattr(one, name) for one in group) for name in COUNTS}
                rows.append({"policy": policy, "subset": subset, "episodes": len(group), **rate, **counts})
    return pd.DataFrame(rows, columns=COLUMNS)
