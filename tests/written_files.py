"""Write episodes, keyframes, metadata and questions to a folder: `python tests/written_files.py FOLDER TASK…`.

Prints a hash of a matrix product as well, which shows whether BLAS computes as in another process.
"""

import dataclasses
import hashlib
import sys
from pathlib import Path

import numpy as np
from synthetic_demos import write_synthetic

from robotr1 import metadata, records, settings
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.demos.tabletop.episodes import attempt_generator, episode_folder
from robotr1.demos.tabletop.expert import demonstrate
from robotr1.demos.tabletop.scene import TabletopScene
from robotr1.demos.write import CAMERAS, write_episode
from robotr1.keyframes import keyframes_of
from robotr1.questions.build import build_questions


def write_demonstration(folder: Path, task: str) -> None:
    """Write the states of the task's first episode, without images."""
    scene = TabletopScene(task, np.random.default_rng(0), image_size=32)
    scene.reset(attempt_generator(0, task, 0, 0))
    recording = demonstrate(scene)
    write_episode(
        episode_folder(folder, task, 0),
        instructions=scene.task.instructions(),
        **recording.series(),
        cameras=recording.cameras(CAMERAS),
        images={},
    )


def write_questions(folder: Path) -> None:
    """Write the questions of sixteen invented demonstrations, with every strategy for distractors."""
    for number in range(16):
        write_synthetic(folder / "synthetic", ("pick_up_cup", "push_button")[number % 2], number // 2)
    episodes = [read_episode(path) for path in list_episodes(folder / "synthetic")]
    found = keyframes_of(episodes)
    records.write_records(folder / "keyframes.jsonl", found)
    metadata.write_metadata(folder / "metadata.json", metadata.design_metadata(episodes[:1]))
    built = settings.load_settings()["build_questions"]
    small = {"validation_episodes": 2, "test_episodes": 2, "held_out_tasks": ["push_button"], "paired_questions": 80}
    for strategy in settings.DISTRACTORS:
        changed = dataclasses.replace(built, distractors=strategy, **small)
        if strategy == "paired":  # these demonstrations are alike, and have too few different movements for it
            changed = dataclasses.replace(changed, minimum_gap=0.02, types=["waypoint", "state"])
        for split, questions in build_questions(episodes, found, changed).items():
            records.write_records(folder / strategy / f"{split}.jsonl", questions)


if __name__ == "__main__":
    output = Path(sys.argv[1])
    for name in sys.argv[2:]:
        write_demonstration(output / "demos", name)
    write_questions(output)
    square = np.random.default_rng(0).normal(size=(64, 64))
    print(hashlib.md5((square @ square).tobytes()).hexdigest(), hashlib.md5(np.tan(square).tobytes()).hexdigest())
