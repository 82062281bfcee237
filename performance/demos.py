"""Measure how fast the tabletop makes demonstrations, and the time of each part.

    python performance/demos.py [--demos 12] [--workers 2] [--image-size 224] [--write]

First every task of the study is collected as the stage does it (front camera, question frames). Then a few
demonstrations of each task are made in this process alone, and the CPU time of each part is measured, so that
other work on the machine does not change it. --write writes performance/results/demos.json and demos.md.
"""

import argparse
import dataclasses
import os
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
from common import load_average, machine, write

from robotr1.demos.collect import collect_demos
from robotr1.demos.tabletop import episodes, expert, scene
from robotr1.settings import load_settings

PARTS = ("physics", "IK", "rendering", "encoding", "other")


def measure_collection(settings, demos: int) -> tuple[float, float]:
    """Wall-clock and CPU seconds, children's included, of a whole collection into an empty folder."""
    settings = dataclasses.replace(settings, demos_per_train_task=demos, demos_per_held_out_task=demos)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        collect_demos(settings, Path(folder) / "demos")
        wall = time.perf_counter() - started
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)  # adds the workers' CPU time
    return wall, sum(os.times()[:4])


@contextmanager
def part_times():
    """CPU seconds spent in each part while the context is open."""
    spent = defaultdict(float)

    def timed(part, function):
        def run(*arguments, **options):
            started = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                spent[part] += time.process_time() - started

        return run

    world = scene.TabletopScene
    with (
        mock.patch.object(world, "step_frame", timed("physics", world.step_frame)),
        mock.patch.object(world, "solve_ik", timed("IK", world.solve_ik)),
        mock.patch.object(expert, "draw", timed("rendering", expert.draw)),
        mock.patch.object(episodes, "write_episode", timed("encoding", episodes.write_episode)),
    ):
        yield spent


def measure_parts(task: str, demos: int, settings) -> dict[str, float]:
    """CPU milliseconds of one demonstration of `task` by part (mean over `demos`), and of all parts together."""
    options = {name: getattr(settings, name) for name in ("image_size", "frame_interval", "seed")}
    with tempfile.TemporaryDirectory() as folder:
        episodes.collect_episode(task, demos, Path(folder), **options)  # builds the scene, opens the renderer
        with part_times() as spent:
            started = time.process_time()
            for episode in range(demos):
                episodes.collect_episode(task, episode, Path(folder), **options)
            spent["all"] = time.process_time() - started
    spent["other"] = spent["all"] - sum(spent[part] for part in PARTS if part != "other")
    return {part: 1000 * spent[part] / demos for part in (*PARTS, "all")}


def page(result: dict) -> str:
    """The result as markdown."""
    made = result["demonstrations"]
    lines = [
        "# Speed of the tabletop\n",
        f"`{result['command']}` on {result['machine']}; load {result['load']:.1f} before the start.\n",
        f"{made} demonstrations of {len(result['tasks'])} tasks with {result['workers']} workers, start of the workers "
        f"included: {result['seconds']:.0f} s, **{60 * made / result['seconds']:.0f} demonstrations a minute**; "
        f"{result['cpu_seconds']:.0f} CPU seconds, {60 * made / result['cpu_seconds']:.0f} demonstrations per CPU "
        "minute.\n",
        "CPU milliseconds a demonstration (failed attempts included), and demonstrations per CPU minute:\n",
        "| task | " + " | ".join(PARTS) + " | all | per minute |",
        "|---|" + "---:|" * (len(PARTS) + 2),
    ]
    rows = {row["task"]: row["cpu_milliseconds"] for row in result["tasks"]}
    rows["**mean**"] = {part: float(np.mean([row[part] for row in rows.values()])) for part in (*PARTS, "all")}
    for task, row in rows.items():
        cells = " | ".join(f"{row[part]:.0f}" for part in (*PARTS, "all"))
        lines.append(f"| {task} | {cells} | {60000 / row['all']:.0f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--demos", type=int, default=12, help="of each task")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--write", action="store_true", help="write performance/results/demos.json and demos.md")
    arguments = parser.parse_args()
    settings = load_settings()["extract_demos"]
    settings = dataclasses.replace(
        settings, source="tabletop", workers=arguments.workers, image_size=arguments.image_size
    )
    tasks = [*settings.train_tasks, *settings.held_out_tasks]
    load = load_average()
    seconds, cpu_seconds = measure_collection(settings, arguments.demos)
    command = f"python performance/demos.py --demos {arguments.demos} --workers {arguments.workers}"
    result = {
        "command": f"{command} --image-size {arguments.image_size}",
        "machine": machine(),
        "load": load,
        "workers": arguments.workers,
        "demonstrations": arguments.demos * len(tasks),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "tasks": [
            {"task": task, "cpu_milliseconds": measure_parts(task, max(3, arguments.demos // 2), settings)}
            for task in tasks
        ],
    }
    print(page(result))
    if arguments.write:
        write("demos", result, page(result))


if __name__ == "__main__":
    main()
