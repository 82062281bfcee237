"""Training from params.yaml: the command's arguments, its messages, and `accelerate launch` as README calls it."""

import dataclasses
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from safetensors.torch import load_file
from small_settings import GRPO, SFT

from robotr1 import paths
from robotr1.records import SftExample, read_objects, write_records
from robotr1.training import launch

COMPLETION = "<think> It is there. </think> <answer> [[C]] </answer>"


@pytest.fixture
def root(base, questions, tmp_path):
    """A project with params.yaml, a base, questions and examples."""
    params = yaml.safe_load(paths.PARAMS.read_text())
    params["train_grpo"] = dataclasses.asdict(dataclasses.replace(GRPO, steps=2, max_completion_length=12))
    params["finetune_sft"] = dataclasses.asdict(dataclasses.replace(SFT, form="direct", steps=2))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    shutil.copytree(base, tmp_path / "models/base")
    write_records(tmp_path / "data/questions/train.jsonl", questions)
    examples = [SftExample(q.id, "train", "direct", q.task, q.image, q.prompt, COMPLETION) for q in questions]
    examples.append(dataclasses.replace(examples[0], id="other", split="validation"))
    write_records(tmp_path / "data/questions/sft_direct.jsonl", examples)
    return tmp_path


def launched(root, *arguments, command=()):
    """Run the module in a process of its own, on the project in `root`."""
    kept = {name: value for name, value in os.environ.items() if name not in ("WORLD_SIZE", "RANK", "LOCAL_RANK")}
    environment = {**kept, "ROBOTR1_ROOT": str(root), "PYTHONPATH": str(paths.ROOT), "OMP_NUM_THREADS": "1"}
    environment |= {"HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, *command, "-m", "robotr1.training.launch", *arguments],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip


def steps(folder):
    return [entry["step"] for _, entry in read_objects(folder / "log.jsonl")]


def test_fine_tuning_writes_the_folder_of_the_stage(root):
    done = launched(root, "finetune_sft", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert steps(root / "models/sft-direct") == [1, 2]
    assert '"seed": 3' in (root / "models/sft-direct/settings.json").read_text()


@pytest.mark.slow
def test_two_processes_by_accelerate_launch(root):
    configuration = str(paths.ROOT / "conf/accelerate/cpu.yaml")
    command = ["-m", "accelerate.commands.launch", "--config_file", configuration, "--main_process_port", "0"]
    done = launched(root, "train_grpo", "--algorithm", "rloo", command=command)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert steps(root / "models/rloo-seed0") == [1, 2]
    assert load_file(root / "models/rloo-seed0/adapter_model.safetensors")
    assert not list((root / "checkpoints").glob("*/checkpoint-*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train_grpo", "--algorithm", "reinforce_plus_plus"], "train.jsonl is missing; run the stage build_questions"),
        (["finetune_sft", "--form", "planning"], "sft_planning.jsonl is missing"),
    ],
)
def test_missing_data_is_a_message_and_no_traceback(monkeypatch, tmp_path, capsys, arguments, message):
    monkeypatch.setattr(paths, "QUESTIONS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["launch", *arguments])
    assert launch.main() == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["prepare_base"], ["train_grpo", "--form", "cot"]])
def test_unknown_arguments(monkeypatch, arguments):
    monkeypatch.setattr(sys, "argv", ["launch", *arguments])
    with pytest.raises(SystemExit, match="2"):
        launch.main()
