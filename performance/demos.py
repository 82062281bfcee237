"""How fast the tabletop makes demonstrations, and where the time goes, as markdown tables.

    python performance/demos.py [--demos 12] [--workers 2] [--image-size 224] [--write]

First every task of the study is collected as the stage does it, front camera, question frames. Then a few
demonstrations of each task are made in this process alone, with a clock in each part that counts CPU time, so that
other work on the machine does not change it. --write keeps both in performance/results/demos.md.
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
from stage_times import machine

from robotr1.demos.collect import collect_demos
from robotr1.demos.tabletop import episodes, expert, scene
from robotr1.settings import load_settings

RESULTS = Path(__file__).resolve().parent / "results/demos.md"
PARTS = ("physics", "IK", "rendering", "encoding", "other")


def collected(settings, demos: int) -> tuple[float, float]:
    """Wall-clock and CPU seconds, children's included, of a whole collection into an empty folder."""
    settings = dataclasses.replace(settings, demos_per_train_task=demos, demos_per_held_out_task=demos)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        collect_demos(settings, Path(folder) / "demos")
        wall = time.perf_counter() - started
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)  # so that the workers' time counts
    return wall, sum(os.times()[:4])


@contextmanager
def clocks():
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


def split(task: str, demos: int, settings) -> dict[str, float]:
    """CPU milliseconds of one demonstration of `task` by part (mean over `demos`), and their sum as `all`."""
    options = {name: getattr(settings, name) for name in ("image_size", "frame_interval", "seed")}
    with tempfile.TemporaryDirectory() as folder:
        episodes.collect_episode(task, demos, Path(folder), **options)  # builds the scene, opens the renderer
        with clocks() as spent:
            started = time.process_time()
            for episode in range(demos):
                episodes.collect_episode(task, episode, Path(folder), **options)
            spent["all"] = time.process_time() - started
    spent["other"] = spent["all"] - sum(spent[part] for part in PARTS if part != "other")
    return {part: 1000 * spent[part] / demos for part in (*PARTS, "all")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--demos", type=int, default=12, help="of each task")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--write", action="store_true", help="keep the tables in performance/results/demos.md")
    arguments = parser.parse_args()
    settings = load_settings()["extract_demos"]
    settings = dataclasses.replace(
        settings, source="tabletop", workers=arguments.workers, image_size=arguments.image_size
    )
    tasks = [*settings.train_tasks, *settings.held_out_tasks]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    wall, cpu = collected(settings, arguments.demos)
    made = arguments.demos * len(tasks)
    command = f"python performance/demos.py --demos {arguments.demos} --workers {arguments.workers}"
    lines = [
        "# Speed of the tabletop\n",
        f"`{command} --image-size {arguments.image_size}` on {machine()}; load {load:.1f} before the start.\n",
        f"{made} demonstrations of {len(tasks)} tasks with {arguments.workers} workers, start of the workers included: "
        f"{wall:.0f} s, **{60 * made / wall:.0f} demonstrations a minute**; {cpu:.0f} CPU seconds, "
        f"{60 * made / cpu:.0f} demonstrations per CPU minute.\n",
        "CPU milliseconds a demonstration (failed attempts included), and demonstrations per CPU minute:\n",
        "| task | " + " | ".join(PARTS) + " | all | per minute |",
        "|---|" + "---:|" * (len(PARTS) + 2),
    ]
    rows = {task: split(task, max(3, arguments.demos // 2), settings) for task in tasks}
    rows["**mean**"] = {part: float(np.mean([row[part] for row in rows.values()])) for part in (*PARTS, "all")}
    for task, row in rows.items():
        cells = " | ".join(f"{row[part]:.0f}" for part in (*PARTS, "all"))
        lines.append(f"| {task} | {cells} | {60000 / row['all']:.0f} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
