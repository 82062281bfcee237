"""Fuzz the reader of recordings: each damaged or hostile file must raise EpisodeError or be read.

    python performance/fuzz_reader.py --inputs 20000 [--seed 0]

Inputs are an episode's own files with bytes changed, removed or repeated, and random pickles of all opcodes with
RLBench's and other names. Any other exception is a finding, and so is an input that takes more than 10 seconds or 1 GB.
"""

import argparse
import collections
import contextlib
import pickle
import pickletools
import resource
import shutil
import signal
import struct
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from robotr1.demos.checks import check_recording
from robotr1.demos.episode import EpisodeError, read_episode, write_episode
from robotr1.demos.layout import DESCRIPTIONS, LOW_DIM
from robotr1.demos.unpickle import load_pickle

SECONDS, BYTES = 10, 2**30
FREE = "random.pkl"
NAMES = [b"rlbench.demo\nDemo\n", b"rlbench.backend.observation\nObservation\n", b"numpy\ndtype\n", b"numpy\nndarray\n"]
NAMES += [b"numpy.core.multiarray\n_reconstruct\n", b"numpy._core.multiarray\nscalar\n"]
NAMES += [b"os\nsystem\n", b"pip\nmain\n", b"builtins\ngetattr\n", b"builtins\neval\n", b"numpy\nload\n"]
WORDS = ["_observations", "misc", "gripper_pose", "__setstate__", "__class__", "__reduce__", "f8", "O", "V8", "<"]
SIZES = [0, 1, 7, 255, 2**16, 2**31 - 1, 2**32 - 1, 2**62]


def write_example(root: Path) -> Path:
    """A small complete episode."""
    length = 12
    still = {"joint_positions": np.zeros((length, 7)), "joint_velocities": np.zeros((length, 7))}
    return write_episode(
        root / "pick_up_cup/variation0/episodes/episode0",
        instructions=["pick up the red cup"],
        gripper_pose=np.tile([0.3, 0, 1, 0, 1, 0, 0], (length, 1)),
        gripper_open=np.ones(length),
        **still,
        task_low_dim_state=np.zeros((length, 3)),
        cameras={},
        images={"front_rgb": {frame: np.full((16, 16, 3), 10 * frame, np.uint8) for frame in range(length)}},
    )


def changed(data: bytes, rng: np.random.Generator) -> bytes:
    """`data` with one to four kinds of damage."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        one, other = sorted(rng.integers(0, len(data) + 1, 2))
        kind = rng.integers(6)
        if kind == 0 and data:
            data[rng.integers(len(data))] = rng.integers(256)
        elif kind == 1:
            del data[one:]
        elif kind == 2:
            del data[one : min(other, one + 20)]
        elif kind == 3:
            data[one:one] = data[one : min(other, one + 200)]
        elif kind == 4:
            data[one:one] = rng.bytes(rng.integers(1, 9))
        else:
            data[one:one] = opcode(rng)
    return bytes(data)


def opcode(rng: np.random.Generator) -> bytes:
    """One opcode of any protocol with an argument of its kind."""
    chosen = pickletools.opcodes[rng.integers(len(pickletools.opcodes))]
    size, name = SIZES[rng.integers(len(SIZES))], chosen.arg.name if chosen.arg else ""
    word = WORDS[rng.integers(len(WORDS))].encode()
    if name == "stringnl_noescape_pair":
        argument = NAMES[rng.integers(len(NAMES))]
    elif name.endswith("nl") or "nl_" in name:
        argument = (str(size).encode() if "decimal" in name or "float" in name else word) + b"\n"
    elif name in ("string1", "bytes1", "unicodestring1", "long1"):
        argument = bytes([len(word)]) + word
    elif name in ("string4", "bytes4", "unicodestring4", "long4"):
        argument = struct.pack("<I", min(size, 2**32 - 1) if rng.random() < 0.5 else len(word)) + word
    elif name.endswith("8"):
        argument = struct.pack("<Q", size if rng.random() < 0.5 else len(word)) + word
    else:
        argument = rng.bytes(chosen.arg.n) if chosen.arg and chosen.arg.n > 0 else b""
    return chosen.code.encode("latin-1") + argument


def program(rng: np.random.Generator) -> bytes:
    """A pickle of random opcodes; names and words come first, so that the stack is seldom empty."""
    start = b"".join(b"c" + NAMES[rng.integers(len(NAMES))] for _ in range(rng.integers(0, 3)))
    start += b"(" * rng.integers(0, 3) + b"".join(b"K" + rng.bytes(1) for _ in range(rng.integers(0, 4)))
    return b"\x80\x04" + start + b"".join(opcode(rng) for _ in range(rng.integers(1, 40))) + b"."


def outcome(read: Callable[[], object]) -> str:
    """`read` or `EpisodeError`. An EpisodeError caused by memory is a finding: the file made the reader reserve it."""
    try:
        read()
    except EpisodeError as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from None
        return "EpisodeError"
    return "read"


def attempt(folder: Path, target: Path, data: bytes) -> str:
    """Read the episode with `data` as the content of `target`, then restore the file."""
    original = target.read_bytes()
    target.write_bytes(data)
    signal.alarm(SECONDS)
    try:
        if target.name == FREE:
            return outcome(lambda: load_pickle(target))
        return outcome(lambda: check_recording(read_episode(folder), frame_interval=10))
    finally:
        signal.alarm(0)
        target.write_bytes(original)


def inputs(folder: Path, rng: np.random.Generator) -> Callable[[], tuple[Path, bytes, str]]:
    """A function that samples (file, its new content, kind of input)."""
    free = folder.parent / FREE
    free.write_bytes(pickle.dumps(None))
    files = [folder / LOW_DIM, folder.parents[1] / DESCRIPTIONS, folder / "front_rgb/5.png"]
    contents = [path.read_bytes() for path in files]

    def draw():
        kind = int(rng.integers(4))
        if kind == 3:
            return free, program(rng), "random opcodes"
        return files[kind], changed(contents[kind], rng), f"changed {files[kind].suffix[1:]}: {files[kind].stem[:12]}"

    return draw


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_slow)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, used + BYTES))
    rng, outcomes, findings = np.random.default_rng(arguments.seed), collections.Counter(), []
    root = Path(tempfile.mkdtemp())
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, root)
        folder = write_example(root)
        draw = inputs(folder, rng)
        for number in range(arguments.inputs):
            target, data, kind = draw()
            try:
                outcomes[kind, attempt(folder, target, data)] += 1
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                findings.append((number, kind, repr(error)[:200], data[:400]))
    for (kind, came), count in sorted(outcomes.items()):
        print(f"{kind:32} {came:14} {count}")
    print(f"{arguments.inputs} inputs, {len(findings)} findings")
    for finding in findings[:10]:
        print(*finding)
    return 1 if findings else 0


def _too_slow(*_):
    raise BaseException(f"more than {SECONDS} s")  # not an Exception: the reader must not swallow it


if __name__ == "__main__":
    sys.exit(main())
