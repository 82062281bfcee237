"""Training of the tiny base, once: `python -m robotr1.training.pretrain.run` (DVC's frozen stage `pretrain_tiny`).

Six stages, each with a log and a checkpoint, so that a stopped run goes on where it was:

1. **draw**: random snapshots of all tasks (poses and placements of their own seeds: no episode of the study is seen);
2. **see**: the vision tower alone, with a throw-away linear head, learns where the gripper and the things are;
3. **match**: the language model alone, on text, learns to read options;
4. **reckon**: likewise on text, it learns to tell the movement between two places;
5. **speak**: the language model on image features, lessons of all kinds (`robotr1.training.pretrain.examples`);
6. **name**: the same, where the names of things count more, so that each task's own things are named, and thoughts
   about waypoints are seldom about the gripper.

This is plain PyTorch rather than a trainer library, because the stages train parts of the model on precomputed inputs.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from robotr1.demos.tabletop.tasks import load_task
from robotr1.paths import CHECKPOINTS, METRICS, WEIGHTS, atomic_folder, atomic_write, write_json
from robotr1.policies.tiny import build_model, build_tokenizer, save_tiny
from robotr1.records import read_objects
from robotr1.training.pretrain import examples as lessons
from robotr1.training.pretrain.batches import Batcher
from robotr1.training.pretrain.language import drill_batches, learn_language, lesson_batches, reckoning_batches
from robotr1.training.pretrain.snapshots import draw_snapshots, load_snapshots
from robotr1.training.pretrain.vision import all_features, learn_to_see
from robotr1.training.runs import keep_memory

FOLDER = CHECKPOINTS / "pretrain_tiny"


def vocabulary_texts(rng: np.random.Generator, count: int = 600) -> Iterator[str]:
    """Prompts and completions of every kind, and the tasks' plans, for the tokenizer to learn its words from."""
    for _ in range(count):
        scene = lessons.imagined_scene(rng)
        makers = (lessons.state_lesson, lessons.waypoint_lesson, lessons.movement_lesson, lessons.open_lesson)
        for lesson in [make(scene, rng) for make in makers] + [lessons.caption_lesson(scene, rng)]:
            yield from (lesson.prompt, lesson.completion)
        for step in load_task(scene.task).plan:
            yield f"Plan: 1. {step} 2. {step}\nSubtask: {step}\nMove: \nAnswer: "


class Log:
    """Prints a line a report and appends it to a JSONL file."""

    def __init__(self, path: Path, stage: str):
        self.path, self.stage, self.start = path, stage, time.process_time()

    def __call__(self, **values: float) -> None:
        record = {"stage": self.stage, "cpu_seconds": round(time.process_time() - self.start, 1)}
        record |= {key: round(float(value), 4) for key, value in values.items()}
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)


@dataclass(frozen=True)
class Recipe:
    """How long each stage trains, and how fast."""

    seed: int = 0
    blocks_per_task: int = 5  # of 500 snapshots
    see_steps: int = 4000
    see_rate: float = 2e-3
    match_steps: int = 800
    match_rate: float = 3e-3
    reckon_steps: int = 450
    reckon_rate: float = 3e-3
    speak_steps: int = 1300
    speak_rate: float = 2e-3
    name_steps: int = 600
    name_rate: float = 2e-3
    guidance: float = 0.3
    batch_size: int = 48


STAGES = ("see", "match", "reckon", "speak", "name")
VISION, LANGUAGE = "model.visual.", ("model.language_model.", "lm_head.")


def pretrain(recipe: Recipe, workers: int, threads: int, stages: Sequence[str] = STAGES) -> None:
    """Train the tiny base and save it as `weights/tiny`, its curves as `reports/metrics/pretrain_tiny.json`.

    `see` and `match` train different parts from fresh weights, and may run side by side in two processes.
    """
    keep_memory()
    torch.set_num_threads(threads)
    FOLDER.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer(vocabulary_texts(np.random.default_rng(recipe.seed)))
    model = build_model(tokenizer, recipe.seed)
    batcher = Batcher(tokenizer)
    if set(stages) != {"match"}:
        draw_snapshots(recipe.blocks_per_task, recipe.seed, workers)
        data = load_snapshots(recipe.blocks_per_task)

    def see(rng: np.random.Generator, log: Log) -> None:
        learn_to_see(model, data, rng, recipe.see_steps, recipe.batch_size, recipe.see_rate, log)

    def match(rng: np.random.Generator, log: Log) -> None:
        batches = drill_batches(rng, recipe.batch_size)
        learn_language(model, batches, batcher, recipe.match_steps, recipe.match_rate, recipe.guidance, log)

    def reckon(rng: np.random.Generator, log: Log) -> None:
        batches = reckoning_batches(rng, recipe.batch_size)
        learn_language(model, batches, batcher, recipe.reckon_steps, recipe.reckon_rate, recipe.guidance, log)

    def speak(rng: np.random.Generator, log: Log) -> None:
        batches = lesson_batches(data, all_features(model, data["images"]), rng, recipe.batch_size)
        learn_language(model, batches, batcher, recipe.speak_steps, recipe.speak_rate, recipe.guidance, log)

    def name(rng: np.random.Generator, log: Log) -> None:
        features = all_features(model, data["images"])
        batches = lesson_batches(data, features, rng, recipe.batch_size, lessons.GRIPPER_ODDS)
        heavy = Batcher(tokenizer, lessons.NAME_WEIGHT)
        learn_language(model, batches, heavy, recipe.name_steps, recipe.name_rate, recipe.guidance, log)

    parts = [(see, VISION), (match, LANGUAGE), (reckon, LANGUAGE), (speak, LANGUAGE), (name, LANGUAGE)]
    for number, (work, part) in enumerate(parts):
        if work.__name__ in stages:
            run_stage(work, part, model, np.random.default_rng([recipe.seed, number]))
    if tuple(stages) == STAGES:
        with atomic_folder(WEIGHTS / "tiny") as folder:
            save_tiny(folder, model, tokenizer)
        logs = {name: [entry for _, entry in read_objects(FOLDER / f"{name}.jsonl")] for name in STAGES}
        write_json(METRICS / "pretrain_tiny.json", {"recipe": asdict(recipe), "stages": logs})


def run_stage(work: Callable, part: str | tuple[str, ...], model, rng: np.random.Generator) -> None:
    """Do a stage's work and keep the part of the model it trained; or load that part where the stage has run before."""
    path = FOLDER / f"{work.__name__}.pt"
    if path.exists():
        model.load_state_dict(torch.load(path), strict=False)
        return
    log_path = FOLDER / f"{work.__name__}.jsonl"
    log_path.unlink(missing_ok=True)
    work(rng, Log(log_path, work.__name__))
    with atomic_write(path) as temporary:
        torch.save({name: value for name, value in model.state_dict().items() if name.startswith(part)}, temporary)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2, help="processes that draw snapshots")
    parser.add_argument("--threads", type=int, default=2, help="threads that train")
    parser.add_argument("--only", choices=STAGES, nargs="+", default=STAGES, help="run these stages and stop")
    options = parser.parse_args()
    pretrain(Recipe(), options.workers, options.threads, tuple(options.only))


if __name__ == "__main__":
    main()
