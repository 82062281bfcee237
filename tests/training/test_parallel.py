"""One process and two (gloo, on CPU cores) agree: rewards exactly, gradients and weights within rounding."""

import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
import two_processes
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.utils import DistributedType
from forked import run_together
from safetensors.torch import load_file

from robotr1 import paths
from robotr1.records import read_objects, write_records
from robotr1.training import parallel

CONFIGURATIONS = sorted((paths.ROOT / "conf/accelerate").glob("*.yaml"))
ALL = ["image_cache", "shared_processing", "lean_decoding", "shared_prefill", "shared_prompts", "skip_zero_std"]


def run(mode, base, questions, output, processes):
    """Run `two_processes.compare` in this many processes; returns the folder that they wrote."""
    write_records(output / "questions.jsonl", questions)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    calls = [(rank, processes, port, mode, base, output) for rank in range(processes)]
    assert run_together(two_processes.compare, calls) == [0] * processes
    return output


@pytest.mark.parametrize("mode", ["grpo", "dapo"])
def test_two_processes_learn_what_one_does(base, questions, tmp_path, mode):
    one, two = (run(mode, base, questions, tmp_path / f"{mode}{n}", n) for n in (1, 2))
    logs = [[entry for _, entry in read_objects(folder / "adapter/log.jsonl")] for folder in (one, two)]
    assert any(entry["grad_norm"] > 1e-3 for entry in logs[0])
    assert 0 < logs[0][0]["accuracy"] < 1
    for single, double in zip(*logs, strict=True):
        for name in ("reward", "format", "accuracy", "reward_std", "length"):
            assert double[name] == pytest.approx(single[name], abs=1e-5), name
        assert double["grad_norm"] == pytest.approx(single["grad_norm"], rel=1e-3, abs=1e-5)
    weights = [load_file(folder / "adapter/adapter_model.safetensors") for folder in (one, two)]
    moved = [torch.cat([v.flatten() for k, v in sorted(w.items()) if "lora_B" in k]) for w in weights]
    assert moved[0].abs().max() > 1e-3
    torch.testing.assert_close(moved[1], moved[0], rtol=0, atol=1e-2 * float(moved[0].abs().max()))


def test_sharded_weights_have_the_same_gradient(base, questions, tmp_path):
    """FSDP's `fully_shard` on two processes: the packed rows of a group give the same gradient."""
    folders = [run("sharded", base, questions, tmp_path / str(n), n) for n in (1, 2)]
    one, two = (torch.load(folder / "gradient.pt") for folder in folders)
    largest = max(float(value.abs().max()) for value in one.values())
    assert largest > 1e-4
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-3, atol=1e-3 * largest, msg=name)


@pytest.mark.slow
def test_two_launched_processes_train(base, questions, tmp_path):
    """By `accelerate launch` and conf/accelerate/cpu.yaml, as README says."""
    write_records(tmp_path / "questions.jsonl", questions)
    folders = [str(paths.ROOT), str(paths.ROOT / "tests")]
    kept = {name: value for name, value in os.environ.items() if name not in ("WORLD_SIZE", "RANK", "LOCAL_RANK")}
    environment = {**kept, "PYTHONPATH": os.pathsep.join(folders), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "accelerate.commands.launch"]
    command += ["--config_file", str(paths.ROOT / "conf/accelerate/cpu.yaml"), "--main_process_port", "0"]
    done = subprocess.run(
        [*command, two_processes.__file__, str(base), str(tmp_path)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert [entry["step"] for _, entry in read_objects(tmp_path / "adapter/log.jsonl")] == [1, 2]
    weights = load_file(tmp_path / "adapter/adapter_model.safetensors")
    assert all(torch.isfinite(value).all() for value in weights.values())
    seconds = read_objects(tmp_path / "checkpoints/adapter/seconds.jsonl")
    assert [entry["step"] for _, entry in seconds] == [1, 2]  # written by one process


def accelerator(kind, stage=0):
    state = SimpleNamespace(deepspeed_plugin=SimpleNamespace(zero_stage=stage) if stage else None)
    return SimpleNamespace(distributed_type=kind, state=state, is_main_process=True, num_processes=2)


@pytest.mark.parametrize("kind", [accelerator(DistributedType.FSDP), accelerator(DistributedType.DEEPSPEED, 3)])
def test_sharded_weights_switch_off_speedups_that_read_them(kind, capsys):
    assert parallel.valid_speedups(ALL, "none", kind) == {"shared_processing", "shared_prompts", "skip_zero_std"}
    assert "switched off image_cache, lean_decoding, shared_prefill" in capsys.readouterr().out
    with pytest.raises(ValueError, match="nf4"):
        parallel.valid_speedups(ALL, "nf4", kind)


@pytest.mark.parametrize(
    "kind",
    [
        accelerator(DistributedType.NO),
        accelerator(DistributedType.MULTI_GPU),
        accelerator(DistributedType.MULTI_CPU),
        accelerator(DistributedType.DEEPSPEED, 2),
    ],
)
def test_whole_weights_keep_every_speedup(kind, capsys):
    assert parallel.valid_speedups(ALL, "nf4", kind) == set(ALL)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_accelerate_reads_the_configurations(path):
    config = load_config_from_file(str(path))
    assert config.num_processes == 2
    assert config.distributed_type == yaml.safe_load(path.read_text())["distributed_type"]
