"""The tiny base learns to read options and to speak: its language model, on lessons and image features."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch.nn import functional as F

from robotr1.policies.tiny import HIDDEN, number_tokens
from robotr1.training.pretrain import examples as lessons
from robotr1.training.pretrain.batches import Batch, Batcher
from robotr1.training.pretrain.vision import set_rate

MAKERS = {
    "caption": lessons.caption_lesson,
    "open": lessons.open_lesson,
    "state": lessons.state_lesson,
    "waypoint": lessons.waypoint_lesson,
    "movement": lessons.movement_lesson,
}
DRILLS = 0.25  # share of batches
# kinds that share a batch (of like length), and how often each batch and kind comes
COURSES = [(0.2, {"movement": 1.0}), (0.8, {"caption": 0.25, "open": 0.2, "state": 0.3, "waypoint": 0.25})]


def drill_batches(rng: np.random.Generator, size: int) -> Iterator:
    """Drills in reading options, the plain and the hard kind in turn."""
    while True:
        yield [lessons.matching_drill(rng) for _ in range(size)], None
        yield [lessons.reading_drill(rng) for _ in range(size)], None


def reckoning_batches(rng: np.random.Generator, size: int) -> Iterator:
    """Drills in movements; every fourth lesson is one in reading options, which would be forgotten otherwise."""
    makers = [lessons.reading_drill, *[lessons.reckoning_drill] * 3]
    while True:
        yield [makers[number % len(makers)](rng) for number in range(size)], None


def lesson_batches(
    data: dict, features: torch.Tensor, rng: np.random.Generator, size: int, gripper: float | None = None
) -> Iterator:
    """Lessons about random snapshots, with the image features that go with them; every fourth batch is a drill.

    `gripper`: the odds of the gripper in thoughts about waypoints, where they are not those of any thing.
    """
    makers = MAKERS | {"waypoint": partial(lessons.waypoint_lesson, gripper=gripper)}
    drills = reckoning_batches(rng, size), drill_batches(rng, size)
    while True:
        if rng.random() < DRILLS:
            yield next(drills[rng.integers(len(drills))])
            continue
        _, course = COURSES[rng.choice(len(COURSES), p=[odds for odds, _ in COURSES])]
        chosen = rng.integers(len(features), size=size)
        batch = []
        for index, kind in zip(chosen, rng.choice(list(course), size, p=list(course.values())), strict=True):
            things = data["objects"][index]
            scene = lessons.Scene(str(data["task"][index]), data["gripper"][index], things[~np.isnan(things[:, 0])])
            batch.append(makers[kind](scene, rng))
        yield batch, features[chosen].reshape(-1, HIDDEN)


def language_losses(model, batch: Batch, features: torch.Tensor | None, guidance: float) -> dict[str, torch.Tensor]:
    """The weighted next-token loss, plus `guidance` times the loss of attention heads that are shown where to look.

    Reading options is learned late or never from the answer alone: several skills must meet before any pays. So a few
    heads are guided while the base is trained. Heads 0 to 2 of layer 1 bring x, y and z together (without them the base
    was seen to compare heights and nothing else). Head 0 of layer 2 looks from an option's last word to its letter;
    head 0 of layer 3 looks from where a letter is due to the last word of the right option; and hidden states between
    the two are drawn together for a place and its option (cosine similarity, as in contrastive learning).
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
        if len(batch.gathers):
            row, place, *axes = batch.gathers.T
            for head, axis in enumerate(axes):
                loss = loss - guidance * (output.attentions[0][row, head, place, axis] + 1e-6).log().mean()
    if guidance > 0 and len(batch.differences):
        row, place, *numbers = batch.differences.T
        for head, number in enumerate(numbers):
            loss = loss - guidance * (output.attentions[0][row, head, place, number] + 1e-6).log().mean()
    return {"loss": loss, "guesses": logits.detach().argmax(-1), "targets": targets, "weights": weights}


def learn_language(
    model,
    batches: Iterator,
    batcher: Batcher,
    steps: int,
    rate: float,
    guidance: float,
    log: Callable,
) -> None:
    """Train the language model on batches of (lessons, image features or None).

    The log tells, teacher-forced, the share of right letters, words and names, and the median error of places.
    """
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
                "word_accuracy": hits[(result["weights"] == 1) & metres[result["targets"]].isnan()].mean().item(),
                "name_accuracy": hits[result["weights"] == lessons.NAME_WEIGHT].mean().item(),
            }
        )
        if (step + 1) % 25 == 0 or step + 1 == steps:
            log(step=step + 1, **pd.DataFrame(rows).mean().dropna())
            rows = []
