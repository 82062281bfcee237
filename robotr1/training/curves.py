"""Training curves elsewhere, on request: transformers' own callbacks for TensorBoard and DVCLive.

Every run writes its curves into its policy's log.jsonl, and `dvc plots` draws them from there. What is sent here has
TRL's names, appears while the run goes on, and lies beside the run's checkpoints.
"""

from importlib.util import find_spec
from pathlib import Path

from transformers import TrainerCallback
from transformers.integrations import DVCLiveCallback, TensorBoardCallback


class LiveCurves(DVCLiveCallback):
    """DVCLive's files in `folder`, with the trainer's step numbers; neither dvc.yaml nor experiments are touched."""

    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder

    def setup(self, args, state, model):
        from dvclive import Live

        if state.is_world_process_zero:
            self.live = Live(str(self.folder), resume=state.global_step > 0, save_dvc_exp=False, dvcyaml=None)
        super().setup(args, state, model)

    def on_log(self, args, state, control, **kwargs):
        if self.live:
            self.live.step = state.global_step
        super().on_log(args, state, control, **kwargs)


def reporting(tool: str, folder: Path) -> list[TrainerCallback]:
    """Callbacks that send each step's log to `tool` (none, tensorboard or dvclive), which writes below `folder`.

    Raises ValueError where its package is not installed.
    """
    if tool == "none":
        return []
    if find_spec(tool) is None:
        raise ValueError(f"report_to: the package {tool} is missing; `pip install {tool}`, or set report_to: none.")
    return [TensorBoardCallback()] if tool == "tensorboard" else [LiveCurves(folder / "dvclive")]
