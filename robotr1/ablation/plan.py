"""What the ablation runs: experiments/ablation/params.yaml, checked, and each run's settings as changes of the study's."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from robotr1 import fields, paths, settings
from robotr1.settings import FinetuneSft, SettingsError, TrainGrpo

FOLDER = paths.ROOT / "experiments/ablation"
DEFAULTS = {"changes": {}, "in_prompt": [], "distractors": "", "start": ""}


@dataclass(frozen=True)
class Run:
    """One line under `runs` in experiments/ablation/params.yaml."""

    section: Literal["none", "finetune_sft", "train_grpo"]  # the stage that trains; none: the base as it is
    changes: dict  # of the study's section
    in_prompt: list[Literal["axes", "reference", "scale"]]  # metadata told in prompts, in training and afterwards
    distractors: str  # the strategy that draws wrong waypoints in training; empty: the study's
    start: str  # the run whose policy of the same seed is trained on; empty: the base


def read_plan(folder: Path = FOLDER) -> dict[str, Any]:
    """experiments/ablation/params.yaml, its `runs` as `Run`s. Raises SettingsError where a run cannot be one."""
    plan = settings.read_params(folder / "params.yaml")
    runs = {}
    for name, values in plan["runs"].items():
        try:
            runs[name] = fields.build(Run, DEFAULTS | values)
        except fields.FieldError as error:
            raise SettingsError(f"experiments/ablation/params.yaml: runs.{name}.{error}") from None
    return plan | {"runs": runs}


def section_of(run: Run, study: Mapping[str, Any], seed: int, folder: Path = FOLDER) -> FinetuneSft | TrainGrpo | None:
    """The settings that the run trains with: the study's, changed. Raises SettingsError where they cannot be."""
    if run.section == "none":
        return None
    changes = run.changes | {"seed": seed}
    if run.start:
        changes["start"] = f"{paths.relative(folder)}/models/{run.start}-{seed}"
    return settings.check_section(run.section, asdict(study[run.section]) | changes, "experiments/ablation/params.yaml")
