"""A modest run of the fuzzer; performance/fuzz_reader.py says how many inputs were tried in the long one."""

import subprocess
import sys

from robotr1 import paths


def test_damaged_and_hostile_files_end_in_an_episode_error():
    command = [sys.executable, paths.ROOT / "performance/fuzz_reader.py", "--inputs", "400", "--seed", "7"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "400 inputs, 0 findings" in run.stdout
