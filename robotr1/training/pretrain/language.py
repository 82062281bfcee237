"""Pretrain the tiny base's language model on synthetic examples and image features."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch.nn import functional as F

from robotr1.policies.tiny import HIDDEN, number_tokens
from robotr1.training.pretrain.batches import NAME_WEIGHT, Batch, Batcher
from robotr1.training.pretrain.image_examples import (
    caption_example,
    movement_example,
    open_example,
    state_example,
    waypoint_example,
)
from robotr1.training.pretrain.scenes import Scene
from robotr1.training.pretrain.text_examples import (
    LETTER_WEIGHT,
    displacement_example,
    hard_option_example,
    option_example,
)

MAKERS = {
    "caption": caption_example,
    "open": open_example,
    "state": state_example,
    "waypoint": waypoint_example,
    "movement": movement_example,
}
TEXT_BATCHES = 0.25  # share of batches of text examples
# Example types that share a batch (similar lengths), with the odds of each batch and of each type in it.
MIXTURES = [(0.2, {"movement": 1.0}), (0.8, {"caption": 0.25, "open": 0.2, "state": 0.3, "waypoint": 0.25})]


def option_batches(rng: np.random.Generator, size: int) -> Iterator:
    """Batches of option examples, easy and hard in turn, without image features."""
    while True:
        yield [option_example(rng) for _ in range(size)], None
        yield [hard_option_example(rng) for _ in range(size)], None


def displacement_batches(rng: np.random.Generator, size: int) -> Iterator:
    """Batches of displacement examples; every fourth is an option example, or reading options would be forgotten."""
    makers = [hard_option_example, *[displacement_example] * 3]
    while True:
        yield [makers[number % len(makers)](rng) for number in range(size)], None


def example_batches(
    data: dict, features: torch.Tensor, rng: np.random.Generator, size: int, gripper: float | None = None
) -> Iterator:
    """Batches of image examples about random snapshots, with their image features; every fourth batch is text only.

    `gripper`: the odds of the gripper in thoughts about waypoints; by default those of each object.
    """
    makers = MAKERS | {"waypoint": partial(waypoint_example, gripper=gripper)}
    text_batches = displacement_batches(rng, size), option_batches(rng, size)
    while True:
        if rng.random() < TEXT_BATCHES:
            yield next(text_batches[rng.integers(len(text_batches))])
            continue
        _, mixture = MIXTURES[rng.choice(len(MIXTURES), p=[odds for odds, _ in MIXTURES])]
        chosen = rng.integers(len(features), size=size)
        batch = []
        for index, name in zip(chosen, rng.choice(list(mixture), size, p=list(mixture.values())), strict=True):
            objects = data["objects"][index]
            scene = Scene(str(data["task"][index]), data["gripper"][index], objects[~np.isnan(objects[:, 0])])
            batch.append(makers[name](scene, rng))
        yield batch, features[chosen].reshape(-1, HIDDEN)


def language_losses(model, batch: Batch, features: torch.Tensor | None, guidance: float) -> dict[str, torch.Tensor]:
    """The weighted next-token loss, plus `guidance` times the loss of attention heads with known targets.

    Reading options is learned late or never from the answer alone, since it takes several skills at once. So a few
    heads get targets during pretraining. Heads 0 to 2 of layer 1 attend to x, y and z (without them the base compared
    heights and nothing else). Head 0 of layer 2 attends from an option's last word to its letter. Head 0 of layer 3
    attends from the token before a letter to the last word of the right option. A contrastive loss (cosine similarity)
    makes the hidden states between the two layers similar for a position and its option.
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
    counted = batch.weights[:, 1:] > 0
    logits = model.lm_head(output.last_hidden_state[:, :-1][counted])
    targets, weights = batch.ids[:, 1:][counted], batch.weights[:, 1:][counted]
    loss = (F.cross_entropy(logits, targets, reduction="none") * weights).sum() / weights.sum()
    if guidance > 0 and len(batch.queries):
        row, letter, word = batch.options.T
        query_row, query, answer = batch.queries.T
        to_letter = -(output.attentions[1][row, 0, word, letter] + 1e-6).log().mean()
        to_option = -(output.attentions[2][query_row, 0, query, answer] + 1e-6).log().mean()
        states = output.hidden_states[2]
        states = F.normalize(states - states.mean((0, 1)), dim=-1)
        similarity = 10 * states[query_row, query] @ states[row, word].T
        similarity = similarity.masked_fill(query_row[:, None] != row[None, :], -math.inf)
        right = ((query_row[:, None] == row[None, :]) & (answer[:, None] == word[None, :])).float().argmax(1)
        loss = loss + guidance * (to_letter + to_option + 3 * F.cross_entropy(similarity, right))
        if len(batch.gathers):
            row, token, *axes = batch.gathers.T
            for head, axis in enumerate(axes):
                loss = loss - guidance * (output.attentions[0][row, head, token, axis] + 1e-6).log().mean()
    if guidance > 0 and len(batch.differences):
        row, token, *numbers = batch.differences.T
        for head, number in enumerate(numbers):
            loss = loss - guidance * (output.attentions[0][row, head, token, number] + 1e-6).log().mean()
    return {"loss": loss, "guesses": logits.detach().argmax(-1), "targets": targets, "weights": weights}


def train_language(
    model,
    batches: Iterator,
    batcher: Batcher,
    steps: int,
    rate: float,
    guidance: float,
    log: Callable,
) -> None:
    """Train the language model on batches of (examples, image features or None).

    The log has the teacher-forced share of right letters, words and names, and the median error of coordinates.
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
        examples, features = next(batches)
        result = language_losses(model, batcher(examples), features, guidance)
        optimizer.zero_grad()
        result["loss"].backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        hits = (result["guesses"] == result["targets"]).float()
        difference = (metres[result["guesses"]] - metres[result["targets"]]).abs()
        rows.append(
            {
                "loss": result["loss"].item(),
                "letter_accuracy": hits[result["weights"] == LETTER_WEIGHT].mean().item(),
                "place_error_cm": 100 * difference.nanmedian().item(),
                "word_accuracy": hits[(result["weights"] == 1) & metres[result["targets"]].isnan()].mean().item(),
                "name_accuracy": hits[result["weights"] == NAME_WEIGHT].mean().item(),
            }
        )
        if (step + 1) % 25 == 0 or step + 1 == steps:
            log(step=step + 1, **pd.DataFrame(rows).mean().dropna())
            rows = []


def set_rate(optimizer: torch.optim.Optimizer, rate: float, step: int, steps: int, warmup: int = 50) -> None:
    """A cosine to a twentieth of `rate`, times a linear warm-up.

    transformers' schedule with a floor starts its cosine after the warm-up, which would be another recipe.
    """
    progress = step / max(steps, 1)
    factor = min(1.0, (step + 1) / warmup) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))
    for group in optimizer.param_groups:
        group["lr"] = rate * factor
