"""Send training curves to TensorBoard or DVCLive while a run trains, with transformers' own callbacks.

Every run also writes its curves to its policy's log.jsonl, which `dvc plots` draws. The curves sent here have TRL's
names and are written beside the run's checkpoints.
"""

from importlib.util import find_spec
from pathlib import Path

from transformers import TrainerCallback
from transformers.integrations import DVCLiveCallback, TensorBoardCallback


class FolderDVCLiveCallback(DVCLiveCallback):
    """Write DVCLive's files to `folder`, with the trainer's step numbers; change neither dvc.yaml nor experiments."""

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


def curve_callbacks(report_to: str, folder: Path) -> list[TrainerCallback]:
    """Callbacks that send each step's log to `report_to` (none, tensorboard or dvclive), which writes below `folder`.

    Raises ValueError where its package is not installed.
    """
    if report_to == "none":
        return []
    if find_spec(report_to) is None:
        raise ValueError(
            f"report_to: the package {report_to} is missing; `pip install {report_to}`, or set report_to: none."
        )
    return [TensorBoardCallback()] if report_to == "tensorboard" else [FolderDVCLiveCallback(folder / "dvclive")]
