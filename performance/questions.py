"""Measure time and memory of building questions against their number, from synthetic trajectories.

    python performance/questions.py                       the paper's set, and 10 thousand to one million questions
    python performance/questions.py --counts 1000 10000   other numbers

Each set is built in its own process: trajectories are generated on the fly, and questions stream through all checks
into a JSONL file. Time and peak memory are those of the whole process, imports included. No image is read. Writes
performance/results/questions.json, questions.md and questions.png.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from common import MEGABYTES, RESULTS, processor, write

COUNTS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
PAPER = 7_500  # questions: 5 tasks x 50 demonstrations, about 10 frames each, 3 types
TASKS = ("pick_up_cup", "push_button", "put_rubbish_in_bin", "phone_on_base", "take_lid_off_saucepan")
FRAMES, INTERVAL = 100, 10


@dataclass(frozen=True)
class SyntheticTrajectories:
    """`episodes` synthetic demonstrations of every task, generated again on every iteration."""

    episodes: int

    def __iter__(self) -> Iterator:
        import numpy as np

        from robotr1.questions.trajectory import Trajectory

        for number, task in enumerate(TASKS):
            for episode in range(self.episodes):
                rng = np.random.default_rng([number, episode])
                target = [rng.uniform(0.0, 0.5), rng.uniform(-0.4, 0.4), rng.uniform(0.76, 1.0)]
                stops = np.array([[0.28, -0.01, 1.47], [*target[:2], target[2] + 0.15], target, [*target[:2], 1.2]])
                path = np.linspace(0, 3, FRAMES + 1)
                positions = np.stack([np.interp(path, range(4), stops[:, axis]) for axis in range(3)], axis=1)
                yield Trajectory(
                    key=(task, 0, episode),
                    instruction=task.replace("_", " "),
                    keyframes=[33, 66, FRAMES],
                    states=positions,
                    frames=range(FRAMES + 1),
                    images=f"synthetic/{task}/episode{episode}",
                )


def build(count: int, paper: bool) -> dict:
    """Stream about `count` questions to a file and measure it."""
    from robotr1.questions.build import stream_questions
    from robotr1.questions.checks import QuestionCheck
    from robotr1.records import write_records
    from robotr1.settings import load_settings

    settings = replace(
        load_settings()["build_questions"], held_out_tasks=[], validation_episodes=0, test_episodes=0, prompt="full"
    )
    if paper:
        settings = replace(settings, distractors="uniform", minimum_gap=0.0, dead_zone=0.0, decimals=3, show_state=True)
    trajectories = SyntheticTrajectories(round(count / (len(TASKS) * len(settings.types) * FRAMES / INTERVAL)))
    check = QuestionCheck(settings)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.jsonl"
        write_records(path, (check.add(question) for question in stream_questions(trajectories, settings)))
        check.finish()
        megabytes = path.stat().st_size / 2**20
    seconds = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    questions = sum(sum(letters.values()) for letters in check.letters.values())
    return {
        "paper": paper,
        "questions": questions,
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "cpu_microseconds_per_question": 1e6 * (usage.ru_utime + usage.ru_stime) / questions,
        "peak_rss_mb": usage.ru_maxrss / MEGABYTES,
        "file_mb": megabytes,
    }


def measured(count: int, paper: bool = False) -> dict:
    """`build` in its own process."""
    command = [sys.executable, __file__, "--one", str(count), *(["--paper"] if paper else [])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    entry = json.loads(done.stdout)
    print("{questions:,} questions: {seconds:.1f} s, {peak_rss_mb:.0f} MB".format(**entry), flush=True)
    return entry


def page(result: dict) -> str:
    """The result as markdown, one row per set."""
    head = "| questions | wall clock | CPU | CPU per question | peak memory | file |\n|---:|---:|---:|---:|---:|---:|\n"
    rows = [
        f"| {entry['questions']:,}{' (the paper)' * entry['paper']} | {entry['seconds']:.1f} s "
        f"| {entry['cpu_seconds']:.1f} s | {entry['cpu_microseconds_per_question']:.0f} µs "
        f"| {entry['peak_rss_mb']:.0f} MB | {entry['file_mb']:.0f} MB |\n"
        for entry in result["sets"]
    ]
    return f"`python performance/questions.py` on {result['machine']}\n\n{head}{''.join(rows)}"


def draw(entries: list[dict], path: Path) -> None:
    """Draw CPU time and peak memory against the number of questions."""
    import matplotlib.pyplot as plt

    curve = [entry for entry in entries if not entry["set"]]
    count = [entry["questions"] for entry in curve]
    fig, axes = plt.subplots(1, 2, figsize=(8, 3), dpi=100, layout="constrained")
    axes[0].loglog(count, [entry["cpu_seconds"] for entry in curve], "o-", label="measured")
    slope = curve[-1]["cpu_seconds"] / count[-1]
    axes[0].loglog(count, [slope * number for number in count], ":", color="black", label="exactly linear")
    axes[0].set(xlabel="questions", ylabel="CPU seconds", title="time")
    axes[0].legend(frameon=False)
    axes[1].semilogx(count, [entry["peak_rss_mb"] for entry in curve], "o-")
    axes[1].axhline(1024, color="black", ls=":", label="1 GB")
    axes[1].set(xlabel="questions", ylabel="peak memory (MB)", title="memory", ylim=(0, 1100))
    axes[1].legend(frameon=False, loc="center left")
    fig.savefig(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="numbers of questions")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--paper", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(build(arguments.one, arguments.paper)))
        sys.exit()
    entries = [measured(PAPER, paper=True), *map(measured, arguments.counts)]
    result = {"machine": f"one of {processor()}, Python {platform.python_version()}", "sets": entries}
    write("questions", result, page(result))
    draw(entries, RESULTS / "questions.png")
    print(page(result))
