"""Inject faults into a real run and count how often the study survives them.

    python performance/faults.py [--kills 20] [--full-disks 5] [--recordings 20000] [--texts 100000] [--seed 0]

kill: the study (profile ci) is killed with SIGKILL at random moments and started again; its weights, questions and
predictions must equal those of an uninterrupted study, and no output may be half-written at any moment.
full disk: a stage runs on a file system that fills up; it must stop with a message that says so, leave the outputs
whole, and succeed once there is space.
judge: a server that hangs, refuses, floods or closes early; every verdict must be judge_failed, in bounded time.
recording: damaged episodes (`fuzz_reader.py`). text: hostile strings for every parser of untrusted text
(`fuzz_texts.py`).

The table is written to performance/results/faults.json and faults.md. Full disks need the right to mount a tmpfs.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from fuzz_texts import parse_all
from safetensors import SafetensorError, safe_open
from stage_times import machine

from robotr1 import paths
from robotr1.evaluation.judge import EndpointJudge
from robotr1.evaluation.judging.rubric import Case
from robotr1.records import RecordError, read_objects

RESULTS = Path(__file__).resolve().parent / "results"
COMPARED = ("data/keyframes.jsonl", "data/questions/*", "data/predictions/*/*.jsonl", "models/*/*.safetensors")
FILLED_STAGES = ("extract_demos", "build_questions", "prepare_base", "train_grpo", "run_benchmarks")
SPARE = 200_000  # bytes left on the full disk
Row = dict[str, str | int]


def row(fault: str, what: str, tries: int, survived: int, detail: str = "") -> Row:
    print(f"{fault}: {what}: {survived} of {tries} survived {detail}", flush=True)
    return {"fault": fault, "what": what, "tries": tries, "survived": survived, "detail": detail}


# --- the study in a copy of the repository ---------------------------------------------------------------------------


def clone(target: Path) -> Path:
    """A clone of HEAD with the robot's meshes and the profile ci."""
    subprocess.run(["git", "clone", "-q", str(paths.ROOT), str(target)], check=True)
    shutil.copytree(paths.PANDA, target / "data/panda")
    for command in (["dvc", "commit", "-q", "-f", "fetch_panda"], ["robotr1.profiles", "ci"]):
        subprocess.run([sys.executable, "-m", *command], cwd=target, env=environment(target), check=True)
    return target


def environment(root: Path) -> dict[str, str]:
    names = {"ROBOTR1_ROOT": str(root), "PYTHONPATH": str(root), "DVC_NO_ANALYTICS": "1"}
    return os.environ | names | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def start(root: Path, *module: str) -> subprocess.Popen:
    command = [sys.executable, "-m", *module]
    with open(root / "output.log", "ab") as output:  # the process keeps its own handle
        return subprocess.Popen(command, cwd=root, env=environment(root), stdout=output, stderr=subprocess.STDOUT)


def kill(process: subprocess.Popen) -> None:
    """Kill a process and all its descendants, as a power cut does."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for one in family:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family[1:], timeout=10)
    process.wait()


def digests(root: Path) -> dict[str, str]:
    files = sorted(file for pattern in COMPARED for file in root.glob(pattern) if file.is_file())
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def half_written(root: Path) -> list[str]:
    """Outputs of the study that cannot be read as a whole."""
    broken = []
    files = [file for name in ("data", "models", "reports") for file in (root / name).rglob("*") if file.is_file()]
    for file in files:
        if any(part.startswith(".") for part in file.relative_to(root).parts):
            continue  # temporary files of the killed process
        try:
            if file.suffix == ".jsonl":
                list(read_objects(file))
            elif file.suffix in (".json", ".ipynb"):
                json.loads(file.read_bytes())
            elif file.suffix == ".safetensors":
                with safe_open(file, "pt") as content:
                    list(content.keys())
        except (RecordError, SafetensorError, ValueError, OSError) as error:
            broken.append(f"{file.relative_to(root)}: {error}"[:200])
    return broken


def killed_studies(
    root: Path, until: str, reference: dict[str, str], seconds: float, kills: int, draw: random.Random
) -> list[Row]:
    """Kill studies until `kills` have happened; each study goes on until it is finished."""
    done, whole, equal, studies = 0, 0, 0, 0
    while done < kills:
        study, finished = clone(root / f"killed-{studies}"), False
        while not finished:
            process = start(study, "dvc", "repro", until)
            try:
                moment = draw.uniform(0, 2 * seconds / kills + 10) if done < kills else None
                finished = process.wait(moment) == 0
                if not finished:
                    raise RuntimeError((study / "output.log").read_text(errors="replace")[-3000:])
            except subprocess.TimeoutExpired:
                kill(process)
                done += 1
                broken = half_written(study)
                whole += not broken
                print(f"kill {done} after {moment:.0f} s: {broken or 'nothing half-written'}", flush=True)
        studies += 1
        found = digests(study)
        different = sorted(name for name in {*found, *reference} if found.get(name) != reference.get(name))
        equal += not different
        print(f"study {studies}: {len(different)} of {len(reference)} files differ {different[:5]}", flush=True)
        shutil.rmtree(study)
    return [
        row("kill -9", "nothing half-written after the kill", done, whole),
        row("kill -9", "weights, questions and predictions as without kills", studies, equal, f"{done} kills"),
    ]


# --- full disk -------------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def stage_command(root: Path, stage: str) -> list[str]:
    policy = {"train_grpo": ["--set", "algorithm=grpo", "--set", "seed=0"]}
    return ["robotr1.notebook", stage, *policy.get(stage, [])]


def full_disks(root: Path, study: Path, reference: dict[str, str], count: int) -> list[Row]:
    size = sum(file.stat().st_size for file in study.rglob("*") if file.is_file()) // 2**20
    survived, details = 0, []
    for stage in FILLED_STAGES[:count]:
        with small_disk(root / "disk", 2 * size + 200) as disk:
            copy = shutil.copytree(study, disk / "study", symlinks=True)
            (copy / "output.log").write_bytes(b"")
            filler = disk / "filler"
            with open(filler, "wb") as file:
                for _ in range((shutil.disk_usage(disk).free - SPARE) // 2**16):
                    file.write(bytes(2**16))
            failed = start(copy, *stage_command(copy, stage)).wait() != 0
            output = (copy / "output.log").read_text(errors="replace")
            told = "disk is full" in output or "No space left" in output
            broken = half_written(copy)
            filler.unlink()
            recovered = start(copy, *stage_command(copy, stage)).wait() == 0
            equal = digests(copy) == reference
            good = failed and told and not broken and recovered and equal
            survived += good
            told_text = {"failed": failed, "told": told, "whole": not broken, "recovered": recovered, "equal": equal}
            print(f"full disk in {stage}: {told_text} {broken[:2]}", flush=True)
            details += [] if good else [stage]
    return [row("full disk", ", ".join(FILLED_STAGES[:count]), count, survived, " ".join(details))]


# --- the judge's server ----------------------------------------------------------------------------------------------


def hang(connection: socket.socket, stopped: threading.Event) -> None:
    stopped.wait(60)


def close_early(connection: socket.socket, stopped: threading.Event) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")


def flood(connection: socket.socket, stopped: threading.Event) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not stopped.is_set():
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


@contextmanager
def server(behave: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """A TCP server that treats every connection so; yields its port."""
    stopped = threading.Event()

    def handle(connection: socket.socket) -> None:
        with connection:
            try:
                behave(connection, stopped)
            except OSError:
                return  # the judge has hung up

    def listen() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()


def bad_judges() -> list[Row]:
    cases = [Case("movement", "?", "move up", f"move {word}") for word in ("up", "down", "left", "right")]
    rows = []
    for behave in (hang, flood, close_early, None):
        with server(behave or hang) as port:
            url = f"http://127.0.0.1:{port if behave else 9}/v1"  # nothing listens on the discard port: refused
            judge = EndpointJudge(url, "model", timeout=2.0, attempts=2, pause=0.1)
            before, started = psutil.Process().memory_info().rss, time.monotonic()
            verdicts = judge.judge(cases)
            seconds, grown = time.monotonic() - started, psutil.Process().memory_info().rss - before
        failed = sum(verdict.status == "judge_failed" and verdict.score is None for verdict in verdicts)
        bounded = seconds < 15 and grown < 200e6
        name = behave.__name__.replace("_", " ") if behave else "refuse"
        rows.append(row("judge server", name, len(cases), failed if bounded else 0, f"{seconds:.1f} s"))
    return rows


# --- texts and recordings --------------------------------------------------------------------------------------------


def hostile_texts(count: int, draw: random.Random) -> list[Row]:
    return [
        row("hostile text", one.parser, count, one.survived, one.error or f"slowest {1000 * one.slowest:.0f} ms")
        for one in parse_all(count, draw)
    ]


def damaged_recordings(count: int, seed: int) -> list[Row]:
    command = [sys.executable, str(Path(__file__).with_name("fuzz_reader.py")), "--inputs", str(count)]
    done = subprocess.run([*command, "--seed", str(seed)], capture_output=True, text=True, check=False)
    summary = next(line for line in done.stdout.splitlines() if " inputs, " in line)
    findings = int(summary.split(" inputs, ")[1].split()[0])
    return [row("damaged recording", "read, or refused with EpisodeError", count, count - findings)]


# --- all -------------------------------------------------------------------------------------------------------------


def write_results(rows: list[Row], command: str, folder: Path = RESULTS) -> None:
    paths.write_json(folder / "faults.json", {"command": command, "machine": machine(), "rows": rows})
    lines = [
        f"| {one['fault']} | {one['what']} | {one['tries']} | {one['survived']} | {one['detail']} |" for one in rows
    ]
    head = ["# Faults survived", "", f"`{command}` on {machine()}.", ""]
    table = ["| fault | what must hold | tries | survived | |", "|---|---|---|---|---|", *lines]
    paths.write_text(folder / "faults.md", "\n".join([*head, *table]) + "\n")


def faults(options: argparse.Namespace, root: Path, draw: random.Random) -> Iterator[list[Row]]:
    """The rows of each kind of fault in turn; `root` is an empty folder for studies."""
    yield bad_judges()
    if options.recordings:
        yield damaged_recordings(options.recordings, options.seed)
    if options.texts:
        yield hostile_texts(options.texts, draw)
    if not options.kills and not options.full_disks:
        return
    study, started = clone(root / "reference"), time.monotonic()
    if start(study, "dvc", "repro", options.until).wait() != 0:
        raise RuntimeError((study / "output.log").read_text(errors="replace")[-3000:])
    seconds, reference = time.monotonic() - started, digests(study)
    print(f"the uninterrupted study took {seconds:.0f} s and made {len(reference)} compared files", flush=True)
    if options.kills:
        yield killed_studies(root, options.until, reference, seconds, options.kills, draw)
    if options.full_disks:
        yield full_disks(root, study, reference, min(options.full_disks, len(FILLED_STAGES)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--full-disks", type=int, default=5, help=f"at most {len(FILLED_STAGES)}")
    parser.add_argument("--recordings", type=int, default=20_000)
    parser.add_argument("--until", default="analyze_results", help="the last stage of the studies")
    parser.add_argument("--texts", type=int, default=100_000, help="for each parser")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chosen = {name: value for name, value in vars(options).items() if name != "output"}
    command = "python performance/faults.py" + "".join(f" --{k.replace('_', '-')} {v}" for k, v in chosen.items())
    rows: list[Row] = []
    root = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        for made in faults(options, root, random.Random(options.seed)):
            rows += made
            write_results(rows, command, options.output)  # after each part, so that a stopped run has a table
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return int(any(one["survived"] != one["tries"] for one in rows))


if __name__ == "__main__":
    sys.exit(main())
