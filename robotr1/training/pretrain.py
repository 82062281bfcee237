"""Training of the tiny base, once: `python -m robotr1.training.pretrain` (DVC's frozen stage `pretrain_tiny`).

Four stages, each with a log and a checkpoint, so that a stopped run goes on where it was:

1. **draw**: random snapshots of all tasks (poses and placements of their own seeds: no episode of the study is seen);
2. **see**: the vision tower alone, with a throw-away linear head, learns where gripper and object are;
3. **match**: the language model alone, on text, learns to read options;
4. **speak**: the language model on image features, lessons of all kinds (`robotr1.training.lessons`).

This is plain PyTorch rather than a trainer library, because the stages train parts of the model on precomputed inputs.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from transformers import Qwen2_5_VLForConditionalGeneration

from robotr1.demos.tabletop.tasks import load_task
from robotr1.paths import CHECKPOINTS, METRICS, WEIGHTS, atomic_folder, atomic_write, write_json
from robotr1.policies.tiny import (
    HIDDEN,
    IMAGE_SIZE,
    build_model,
    build_tokenizer,
    number_features,
    number_tokens,
    save_tiny,
)
from robotr1.training import lessons
from robotr1.training.batches import IMAGE_TOKENS, Batcher, Batch
from robotr1.training.runs import keep_memory
from robotr1.training.snapshots import draw_snapshots, load_snapshots

FOLDER = CHECKPOINTS / "pretrain_tiny"


# --- the vision tower ---------------------------------------------------------------------------------------------


def patches(images: np.ndarray) -> torch.Tensor:
    """uint8 [N,H,W,3] → [N * (H/14) * (W/14), 1176]: Qwen's patch order and normalisation, as its processor makes it."""
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711])
    pixels = (torch.from_numpy(images).float() / 255 - mean) / std
    count, height, width, _ = pixels.shape
    grid = pixels.reshape(count, height // 28, 2, 14, width // 28, 2, 14, 3).permute(0, 1, 4, 2, 5, 7, 3, 6)
    frames = grid.reshape(-1, 3, 1, 14, 14).expand(-1, -1, 2, -1, -1)
    return frames.reshape(-1, 3 * 2 * 14 * 14)


def image_features(model: Qwen2_5_VLForConditionalGeneration, images: np.ndarray) -> torch.Tensor:
    """The vision tower's tokens, `[N, 25, HIDDEN]`."""
    side = IMAGE_SIZE // 14
    grid = torch.tensor([[1, side, side]] * len(images))
    merged = model.model.visual(patches(images), grid_thw=grid).pooler_output
    return merged.reshape(len(images), IMAGE_TOKENS, HIDDEN)


def learn_to_see(model, data, rng, steps: int, batch_size: int, rate: float, log: Callable) -> None:
    """Train the vision tower: a linear head on its mean token tells both places, as coordinates and as their features."""
    features = number_features(np.zeros(1)).shape[-1]
    head = torch.nn.Linear(HIDDEN, 6 * (1 + features))
    parameters = [*model.model.visual.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    places = np.concatenate([data["gripper"], data["object"]], axis=1)
    held_out = np.arange(len(places)) >= len(places) - 500
    train = np.flatnonzero(~held_out)
    target_features = torch.tensor(number_features(places).reshape(len(places), -1), dtype=torch.float32)
    target_places = torch.tensor(places, dtype=torch.float32)
    for step in range(steps):
        set_rate(optimizer, rate, step, steps)
        chosen = rng.choice(train, batch_size, replace=False)
        guess = head(image_features(model, data["images"][chosen]).mean(1))
        loss = (guess[:, :6] - target_places[chosen]).abs().mean() * 3 + F.mse_loss(
            guess[:, 6:], target_features[chosen]
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if (step + 1) % 50 == 0 or step + 1 == steps:
            with torch.no_grad():
                test = np.flatnonzero(held_out)
                errors = (head(image_features(model, data["images"][test]).mean(1))[:, :6] - target_places[test]).abs()
            centimetres = (100 * errors.mean(0)).tolist()
            log(
                step=step + 1,
                loss=loss.item(),
                gripper_error_cm=sum(centimetres[:3]) / 3,
                object_error_cm=sum(centimetres[3:]) / 3,
            )


# --- the language model -------------------------------------------------------------------------------------------


def language_losses(model, batch: Batch, features: torch.Tensor | None, guidance: float) -> dict[str, torch.Tensor]:
    """The weighted next-token loss, plus `guidance` times the loss of two attention heads that are shown where to look.

    Reading options is learned late or never from the answer alone: three skills must meet before any pays. So two heads
    are guided while the base is trained. Head 0 of layer 2 looks from an option's last word to its letter; head 0 of
    layer 3 looks from where a letter is due to the last word of the right option; and hidden states between the two
    are drawn together for a place and its option (cosine similarity, as in contrastive learning).
    """
    embeddings = model.get_input_embeddings()(batch.ids)
    if features is not None:
        mask = batch.ids == model.config.image_token_id
        embeddings = embeddings.masked_scatter(mask[..., None], features)
    output = model.model.language_model(
        inputs_embeds=embeddings,
        position_ids=batch.positions,
        use_cache=False,
        output_attentions=guidance > 0,
        output_hidden_states=guidance > 0,
    )
    due = batch.weights[:, 1:] > 0
    logits = model.lm_head(output.last_hidden_state[:, :-1][due])
    targets, weights = batch.ids[:, 1:][due], batch.weights[:, 1:][due]
    loss = (F.cross_entropy(logits, targets, reduction="none") * weights).sum() / weights.sum()
    if guidance > 0 and len(batch.queries):
        row, letter, word = batch.options.T
        asked, query, answer = batch.queries.T
        to_letter = -(output.attentions[1][row, 0, word, letter] + 1e-6).log().mean()
        to_option = -(output.attentions[2][asked, 0, query, answer] + 1e-6).log().mean()
        states = output.hidden_states[2]
        states = F.normalize(states - states.mean((0, 1)), dim=-1)
        similarity = 10 * states[asked, query] @ states[row, word].T
        similarity = similarity.masked_fill(asked[:, None] != row[None, :], -math.inf)
        right = ((asked[:, None] == row[None, :]) & (answer[:, None] == word[None, :])).float().argmax(1)
        loss = loss + guidance * (to_letter + to_option + 3 * F.cross_entropy(similarity, right))
    return {"loss": loss, "guesses": logits.detach().argmax(-1), "targets": targets, "weights": weights}


def learn_language(model, batches: Iterator, batcher: Batcher, steps: int, rate: float, guidance: float, log) -> None:
    """Train the language model on (lessons, image features or None); the log tells letters and places, teacher-forced."""
    model.set_attn_implementation("eager" if guidance > 0 else "sdpa")
    parameters = [value for name, value in model.named_parameters() if ".visual." not in name]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    metres = torch.full((model.config.text_config.vocab_size,), math.nan)
    for text, value in number_tokens().items():
        metres[batcher.tokenizer.convert_tokens_to_ids(text)] = value
    rows = []
    for step in range(steps):
        set_rate(optimizer, rate, step, steps)
        batch_lessons, features = next(batches)
        result = language_losses(model, batcher(batch_lessons), features, guidance)
        optimizer.zero_grad()
        result["loss"].backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        hits = (result["guesses"] == result["targets"]).float()
        difference = (metres[result["guesses"]] - metres[result["targets"]]).abs()
        rows.append(
            {
                "loss": result["loss"].item(),
                "letter_accuracy": hits[result["weights"] == lessons.LETTER_WEIGHT].mean().item(),
                "place_error_cm": 100 * difference.nanmedian().item(),
            }
        )
        if (step + 1) % 25 == 0 or step + 1 == steps:
            log(step=step + 1, **{key: np.nanmean([row[key] for row in rows]) for key in rows[0]})
            rows = []


def set_rate(optimizer: torch.optim.Optimizer, rate: float, step: int, steps: int, warmup: int = 50) -> None:
    """Linear warm-up, then a cosine to a twentieth."""
    progress = step / max(steps, 1)
    factor = min(1.0, (step + 1) / warmup) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))
    for group in optimizer.param_groups:
        group["lr"] = rate * factor


def drill_batches(rng: np.random.Generator, size: int) -> Iterator:
    while True:
        yield [lessons.matching_drill(rng) for _ in range(size)], None


LESSON_ODDS = {"caption": 0.2, "open": 0.15, "state": 0.25, "waypoint": 0.2, "movement": 0.2}


def lesson_batches(data: dict, features: torch.Tensor, rng: np.random.Generator, size: int) -> Iterator:
    """Lessons about random snapshots, with the image features that go with them."""
    makers = {
        "caption": lessons.caption_lesson,
        "open": lessons.open_lesson,
        "state": lessons.state_lesson,
        "waypoint": lessons.waypoint_lesson,
        "movement": lessons.movement_lesson,
    }
    kinds, odds = list(LESSON_ODDS), list(LESSON_ODDS.values())
    while True:
        chosen = rng.integers(len(features), size=size)
        batch = []
        for index in chosen:
            scene = lessons.Scene(str(data["task"][index]), data["gripper"][index], data["object"][index])
            batch.append(makers[kinds[rng.choice(len(kinds), p=odds)]](scene, rng))
        yield batch, features[chosen].reshape(-1, HIDDEN)


# --- the whole ----------------------------------------------------------------------------------------------------


def vocabulary_texts(rng: np.random.Generator, count: int = 600) -> Iterator[str]:
    """Prompts and completions of every kind, and the tasks' plans, for the tokenizer to learn its words from."""
    for _ in range(count):
        scene = lessons.imagined_scene(rng)
        makers = (lessons.state_lesson, lessons.waypoint_lesson, lessons.movement_lesson, lessons.open_lesson)
        for lesson in [make(scene, rng) for make in makers] + [lessons.caption_lesson(scene, rng)]:
            yield from (lesson.prompt, *lesson.completions)
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
    blocks_per_task: int = 7  # of 500 snapshots
    see_steps: int = 2500
    see_rate: float = 2e-3
    match_steps: int = 800
    match_rate: float = 3e-3
    speak_steps: int = 2500
    speak_rate: float = 2e-3
    guidance: float = 0.3
    batch_size: int = 48


STAGES = ("see", "match", "speak")
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
    if "see" in stages or "speak" in stages:
        draw_snapshots(recipe.blocks_per_task, recipe.seed, workers)
        data = load_snapshots(recipe.blocks_per_task)

    def see(rng: np.random.Generator, log: Log) -> None:
        learn_to_see(model, data, rng, recipe.see_steps, recipe.batch_size, recipe.see_rate, log)

    def match(rng: np.random.Generator, log: Log) -> None:
        batches = drill_batches(rng, recipe.batch_size)
        learn_language(model, batches, batcher, recipe.match_steps, recipe.match_rate, recipe.guidance, log)

    def speak(rng: np.random.Generator, log: Log) -> None:
        with torch.no_grad():
            blocks = range(0, len(data["images"]), 100)
            features = torch.cat([image_features(model, data["images"][start : start + 100]) for start in blocks])
        batches = lesson_batches(data, features, rng, recipe.batch_size)
        learn_language(model, batches, batcher, recipe.speak_steps, recipe.speak_rate, recipe.guidance, log)

    for number, (work, part) in enumerate([(see, VISION), (match, LANGUAGE), (speak, LANGUAGE)]):
        if work.__name__ in stages:
            run_stage(work, part, model, np.random.default_rng([recipe.seed, number]))
    if tuple(stages) == STAGES:
        with atomic_folder(WEIGHTS / "tiny") as folder:
            save_tiny(folder, model, tokenizer)
        logs = {name: [json.loads(line) for line in (FOLDER / f"{name}.jsonl").open()] for name in STAGES}
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
