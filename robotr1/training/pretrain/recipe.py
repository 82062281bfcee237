"""The recipe of the tiny base: six stages, each with a log and a checkpoint, so that a stopped run resumes.

1. **snapshots**: render random snapshots of all tasks (their seeds are apart from those of the study's episodes).
2. **see**: train the vision tower, with temporary heads, on cuts and images (`vision`, `cuts`, `image_head`); the tower
   and its errors on the snapshots of seed `TEST` become `weights/vision`.
3. **match**: train the language model on text, to read options (`language.option_batches`).
4. **reckon**: the same, to write the displacement between two positions (`language.displacement_batches`).
5. **speak**: train the language model on image features and all example types (`language.example_batches`).
6. **name**: the same, with a larger loss weight of names and few waypoint thoughts about the gripper.

Stages 2 to 6 have the names of the committed log, `reports/metrics/pretrain_tiny.json`. This is plain PyTorch rather
than a trainer library, because the stages train parts of the model on precomputed inputs.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from robotr1.demos.tabletop.tasks import load_task
from robotr1.paths import CHECKPOINTS, METRICS, WEIGHTS, atomic_folder, atomic_write, write_json, write_text
from robotr1.policies.tiny import build_model, build_tokenizer, save_tiny
from robotr1.records import read_objects
from robotr1.training.memory import keep_memory
from robotr1.training.pretrain.batches import NAME_WEIGHT, Batcher
from robotr1.training.pretrain.image_examples import (
    GRIPPER_ODDS,
    caption_example,
    movement_example,
    open_example,
    state_example,
    waypoint_example,
)
from robotr1.training.pretrain.language import displacement_batches, example_batches, option_batches, train_language
from robotr1.training.pretrain.scenes import random_scene
from robotr1.training.pretrain.snapshots import TEST, TRAIN, VALIDATION, load_snapshots, render_snapshots
from robotr1.training.pretrain.tower import all_features
from robotr1.training.pretrain.vision import VisionRecipe, VisionTraining, train_vision
from robotr1.training.pretrain.vision_errors import load_tower, mean_errors, save_tower

FOLDER = CHECKPOINTS / "pretrain_tiny"
STAGES = ("see", "match", "reckon", "speak", "name")
VISION, LANGUAGE = "model.visual.", ("model.language_model.", "lm_head.")  # prefixes of weights


@dataclass(frozen=True)
class Recipe:
    """Steps and learning rate of each stage."""

    seed: int = 0
    vision: VisionRecipe = VisionRecipe()
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


class Log:
    """Print each report as one line of JSON and append it to a file."""

    def __init__(self, path: Path, stage: str):
        self.path, self.stage, self.start = path, stage, time.process_time()

    def __call__(self, **values: float) -> None:
        record = {"stage": self.stage, "cpu_seconds": round(time.process_time() - self.start, 1)}
        record |= {key: round(float(value), 4) for key, value in values.items()}
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)


def vocabulary_texts(rng: np.random.Generator, count: int = 600) -> Iterator[str]:
    """The tokenizer's training texts: prompts and completions of all example types, and the tasks' plans."""
    for _ in range(count):
        scene = random_scene(rng)
        makers = (state_example, waypoint_example, movement_example, open_example)
        for example in [make(scene, rng) for make in makers] + [caption_example(scene, rng)]:
            yield from (example.prompt, example.completion)
        for step in load_task(scene.task).plan:
            yield f"Plan: 1. {step} 2. {step}\nSubtask: {step}\nMove: \nAnswer: "


def pretrain(
    recipe: Recipe, workers: int, threads: int, stages: Sequence[str] = STAGES, tower: Path | None = None
) -> None:
    """Train the tiny base and save it as `weights/tiny`, its curves as `reports/metrics/pretrain_tiny.json`.

    `see` and `match` train different parts, and may run side by side in two processes. `tower` is a folder of
    `save_tower`: `see` starts from these weights instead of fresh ones.
    """
    keep_memory()
    torch.set_num_threads(threads)
    remove_stages_of_another_recipe(recipe)
    tokenizer = build_tokenizer(vocabulary_texts(np.random.default_rng(recipe.seed)))
    model = build_model(tokenizer, recipe.seed)
    batcher, name_batcher = Batcher(tokenizer), Batcher(tokenizer, NAME_WEIGHT)
    size, guidance = recipe.batch_size, recipe.guidance
    if set(stages) != {"match"}:
        for seed, blocks in ((TRAIN, recipe.vision.blocks_per_task), (VALIDATION, 1), (TEST, 1)):
            render_snapshots(blocks, seed, workers)
        data = load_snapshots(recipe.vision.blocks_per_task)
        validation, test = load_snapshots(1, VALIDATION), load_snapshots(1, TEST)

    def see(rng: np.random.Generator, log: Log) -> None:
        if tower is not None:
            load_tower(tower, model.model.visual)
        training = VisionTraining(model.model.visual, recipe.vision, compiled=shutil.which("g++") is not None)
        train_vision(training, data, FOLDER / "see_state.pt", log, lambda now: mean_errors(now, validation))
        curve = [entry for _, entry in read_objects(FOLDER / "see.jsonl")]
        save_tower(WEIGHTS / "vision", training, test, {"recipe": asdict(recipe.vision), "curve": curve})

    def match(rng: np.random.Generator, log: Log) -> None:
        batches = option_batches(rng, size)
        train_language(model, batches, batcher, recipe.match_steps, recipe.match_rate, guidance, log)

    def reckon(rng: np.random.Generator, log: Log) -> None:
        batches = displacement_batches(rng, size)
        train_language(model, batches, batcher, recipe.reckon_steps, recipe.reckon_rate, guidance, log)

    def speak(rng: np.random.Generator, log: Log) -> None:
        batches = example_batches(data, all_features(model, data["images"]), rng, size)
        train_language(model, batches, batcher, recipe.speak_steps, recipe.speak_rate, guidance, log)

    def name(rng: np.random.Generator, log: Log) -> None:
        batches = example_batches(data, all_features(model, data["images"]), rng, size, GRIPPER_ODDS)
        train_language(model, batches, name_batcher, recipe.name_steps, recipe.name_rate, guidance, log)

    parts = [(see, VISION), (match, LANGUAGE), (reckon, LANGUAGE), (speak, LANGUAGE), (name, LANGUAGE)]
    for number, (work, part) in enumerate(parts):
        if work.__name__ in stages:
            run_stage(work, part, model, np.random.default_rng([recipe.seed, number]))
    if tuple(stages) == STAGES:
        with atomic_folder(WEIGHTS / "tiny") as folder:
            save_tiny(folder, model, tokenizer)
        logs = {name: [entry for _, entry in read_objects(FOLDER / f"{name}.jsonl")] for name in STAGES}
        write_json(METRICS / "pretrain_tiny.json", {"recipe": asdict(recipe), "stages": logs})


def remove_stages_of_another_recipe(recipe: Recipe) -> None:
    """Remove finished stages where the recipe has changed, so that none of them is reused."""
    file, text = FOLDER / "recipe.json", json.dumps(asdict(recipe), sort_keys=True)
    if file.is_file() and file.read_text() == text:
        return
    for path in FOLDER.glob("*.pt"):
        path.unlink()
    write_text(file, text)


def run_stage(work: Callable, part: str | tuple[str, ...], model, rng: np.random.Generator) -> None:
    """Run a stage and save the part of the model that it trained, or load that part where the stage has run before."""
    path = FOLDER / f"{work.__name__}.pt"
    if path.exists():
        model.load_state_dict(torch.load(path), strict=False)
        return
    log_path = FOLDER / f"{work.__name__}.jsonl"
    if not (FOLDER / f"{work.__name__}_state.pt").exists():  # of a stage that was stopped midway
        log_path.unlink(missing_ok=True)
    work(rng, Log(log_path, work.__name__))
    with atomic_write(path) as temporary:
        torch.save({name: value for name, value in model.state_dict().items() if name.startswith(part)}, temporary)
