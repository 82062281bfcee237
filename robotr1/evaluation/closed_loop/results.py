"""Results of the closed loop: episodes step by step, success rates by policy and task, paired comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import dist
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from PIL import Image

from robotr1 import fields, paths
from robotr1.evaluation.closed_loop.environment import Outcome
from robotr1.records import read_by_policy, write_by_policy
from robotr1.statistics import accuracy_interval, paired_difference, with_holm

FILE = "closed_loop.jsonl"
MAX_LOST = 3  # lost steps that an episode survives
CLOSE = 0.02  # metres from the script's waypoint within which an answer is right
REASONS = ("unreadable", "unreachable", "wrong place", "not done")
COMPARISON_COLUMNS = ("policy", "baseline", "episodes", "difference", "low", "high", "gained", "lost", "p_value")
COLUMNS = ("policy", "task", "episodes", "success", "low", "high", "asked", "right", *REASONS)


@dataclass(frozen=True, eq=False)
class Step:
    """One question, its answer and the outcome."""

    image: np.ndarray | None = fields.not_stored()  # uint8 [H,W,3], the question's image; None without images
    state: list[float]  # before the step
    target: list[float]  # the script's waypoint
    answer: list[float] | None  # the commanded state; None where the completion is unreadable
    outcome: Literal[Outcome, "unreadable"]

    @property
    def right(self) -> bool:
        """Whether the answer is within CLOSE of the script's waypoint."""
        return self.answer is not None and dist(self.answer[:3], self.target[:3]) <= CLOSE

    @property
    def lost(self) -> bool:
        """Whether the arm did not move, so that the step is asked again."""
        return self.outcome in ("unreadable", "unreachable")


@dataclass(frozen=True, eq=False)
class Trace:
    """One episode of one policy."""

    policy: str
    task: str
    episode: int
    instruction: str
    steps: list[Step]
    success: bool
    last_image: np.ndarray | None = fields.not_stored()  # after the last step

    @property
    def reason(self) -> str:
        """Why the episode failed, one of REASONS; "" for a success.

        "unreadable" and "unreachable": too many steps were lost, most of them for this reason. "wrong place": an
        executed answer was more than CLOSE from the script's waypoint. "not done": none was, yet the task is not done.
        """
        if self.success:
            return ""
        lost = [step.outcome for step in self.steps if step.lost]
        if len(lost) > MAX_LOST:
            return max(("unreadable", "unreachable"), key=lost.count)
        return "not done" if all(step.right for step in self.steps if not step.lost) else "wrong place"


def write(traces: Sequence[Trace], folder: Path = paths.PREDICTIONS, shown: Sequence[Trace] = ()) -> None:
    """Write the episodes, one file for each policy, and the images of `shown` (some of `traces`) as PNG files."""
    write_by_policy(folder, FILE, traces)
    for trace in shown:
        for number, image in enumerate([*(step.image for step in trace.steps), trace.last_image]):
            if image is not None:
                file = _image_file(folder, trace, number)
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(file)


def read(folder: Path = paths.PREDICTIONS) -> list[Trace]:
    """Read the episodes of all policies, the shown ones with their images. Raises RecordError for a broken line."""
    return [_with_images(trace, folder) for trace in read_by_policy(folder, FILE, Trace, key=("task", "episode"))]


def _with_images(trace: Trace, folder: Path) -> Trace:
    def image(number: int) -> np.ndarray | None:
        file = _image_file(folder, trace, number)
        return np.asarray(Image.open(file).convert("RGB")) if file.is_file() else None

    steps = [replace(step, image=image(number)) for number, step in enumerate(trace.steps)]
    return replace(trace, steps=steps, last_image=image(len(steps)))


def _image_file(folder: Path, trace: Trace, number: int) -> Path:
    """The PNG file of one image of an episode, such as `<policy>/film/pick_up_cup-0-1.png`."""
    return folder / trace.policy / "film" / f"{trace.task}-{trace.episode}-{number}.png"


def summarize(traces: Sequence[Trace], confidence: float = 0.95) -> pd.DataFrame:
    """One row per policy and task, and per policy over "all" tasks, with COLUMNS.

    `success` is the rate with Wilson's interval `low`, `high`. `asked` is the mean number of questions in an episode,
    `right` the share of answers within CLOSE of the script's waypoint. The other columns count failed episodes by
    reason. An episode is one observation: placements are independent.
    """
    groups: dict[tuple[str, str], list[Trace]] = {}
    for task_of in (lambda trace: trace.task, lambda trace: "all"):
        for trace in traces:
            groups.setdefault((trace.policy, task_of(trace)), []).append(trace)
    rows = []
    for (policy, task), group in groups.items():
        steps = [step for trace in group for step in trace.steps]
        reasons = [trace.reason for trace in group]
        rate = accuracy_interval([trace.success for trace in group], confidence)
        numbers = (len(group), *rate, len(steps) / len(group), np.mean([step.right for step in steps]))
        rows.append((policy, task, *numbers, *(reasons.count(reason) for reason in REASONS)))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = {policy: place for place, policy in enumerate(dict.fromkeys(table["policy"]))}
    return table.sort_values("policy", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def compare(
    traces: Sequence[Trace], pairs: Sequence[tuple[str, str]], confidence: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Paired comparisons of success on the placements that both policies share, all tasks together.

    One row per pair with shared placements: `episodes`, the `difference` of the rates with its bootstrap interval over
    episodes, the episodes `gained` and `lost`, the exact McNemar `p_value`, and `p_holm` over all rows.
    """
    done: dict[str, dict[tuple[str, int], bool]] = {}
    for trace in traces:
        done.setdefault(trace.policy, {})[trace.task, trace.episode] = trace.success
    rows = []
    for policy, baseline in pairs:
        ours, theirs = done.get(policy, {}), done.get(baseline, {})
        if shared := [place for place in ours if place in theirs]:
            result = paired_difference([ours[at] for at in shared], [theirs[at] for at in shared], confidence, seed)
            numbers = (result.difference, result.low, result.high, result.gained, result.lost, result.p_value)
            rows.append((policy, baseline, len(shared), *numbers))
    return with_holm(pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS)))
