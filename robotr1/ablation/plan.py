"""Read and validate experiments/ablation/params.yaml: each run as a change of the study's settings."""

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

    section: Literal["none", "finetune_sft", "train_grpo"]  # the stage that trains; none: the untrained base
    changes: dict  # to the study's section
    in_prompt: list[Literal["axes", "reference", "scale"]]  # metadata in the prompts of training and evaluation
    distractors: str  # strategy for waypoint questions in training; empty: the study's
    start: str  # the run whose policy of the same seed training starts from; empty: the base


def read_plan(folder: Path = FOLDER) -> dict[str, Any]:
    """Read experiments/ablation/params.yaml with its `runs` as `Run`s. Raises SettingsError where a run is invalid."""
    plan = settings.read_params(folder / "params.yaml")
    runs = {}
    for name, values in plan["runs"].items():
        try:
            runs[name] = fields.build(Run, DEFAULTS | values)
        except fields.FieldError as error:
            raise SettingsError(f"experiments/ablation/params.yaml: runs.{name}.{error}") from None
    return plan | {"runs": runs}


def section_of(run: Run, study: Mapping[str, Any], seed: int, folder: Path = FOLDER) -> FinetuneSft | TrainGrpo | None:
    """The training settings of a run: the study's with its changes. Raises SettingsError where they are invalid."""
    if run.section == "none":
        return None
    changes = run.changes | {"seed": seed}
    if run.start:
        changes["start"] = f"{paths.relative(folder)}/models/{run.start}-{seed}"
    return settings.check_section(run.section, asdict(study[run.section]) | changes, "experiments/ablation/params.yaml")
