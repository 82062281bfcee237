"""A tiny policy that writes the answer form with letters at random: enough to test everything after pretraining."""

import atexit
import functools
import itertools
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from robotr1.policies import tiny
from robotr1.policies.inputs.prompts import chat_text
from robotr1.policies.load import load_policy
from robotr1.questions.prompts import completion_text
from robotr1.records import Question

THOUGHT = "It is there."


def questions(folder: Path, count: int = 12, images: int = 4) -> list[Question]:
    """Short questions on random images in `folder`; three types, letters in turn."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(images):
        Image.fromarray(rng.integers(0, 256, (56, 56, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    kinds = itertools.cycle(["waypoint", "state", "movement"])
    return [
        Question(
            id=f"push_button/variation0/episode{i}/frame0/{kind}",
            split="train",
            type=kind,
            task="push_button",
            variation=0,
            episode=i,
            frame=0,
            keyframe=9,
            image=str(folder / f"{i % images}.png"),
            instruction="push the button",
            state=[0.1, 0.2, 0.9],
            target=[0.2, -0.1, 0.8],
            options=["up", "down", "left", "right"],
            answer="ABCD"[i % 4],
            prompt=f"Task {i}.\n[[A]] up\n[[B]] down\n[[C]] left\n[[D]] right",
        )
        for i, kind in zip(range(count), kinds, strict=False)
    ]


def make(folder: Path, asked: list[Question], steps: int = 20) -> Path:
    """Build the tiny architecture, teach it the form for a few seconds, save it in `folder`."""
    texts = [q.prompt for q in asked] + [completion_text(THOUGHT, letter) for letter in "ABCD"]
    tokenizer = tiny.build_tokenizer(texts)
    tiny.save_tiny(folder, tiny.build_model(tokenizer), tokenizer)
    model, processor = load_policy(folder)
    turns = [
        chat_text(processor, q.prompt) + completion_text(THOUGHT, letter) + tokenizer.eos_token
        for q, letter in itertools.product(asked[:4], "ABCD")
    ]
    images = [[Image.open(q.image)] for q, _ in itertools.product(asked[:4], "ABCD")]
    batch = processor(text=turns, images=images, padding=True, return_tensors="pt")
    turn = (batch["input_ids"] == tokenizer.convert_tokens_to_ids("<|im_start|>")).cumsum(dim=1)
    batch["labels"] = batch["input_ids"].masked_fill((turn < 2) | (batch["attention_mask"] == 0), -100)
    optimizer = torch.optim.AdamW(model.model.language_model.parameters(), lr=3e-3)
    for _ in range(steps):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    return folder


@functools.cache
def shared() -> tuple[Path, list[Question]]:
    """One such policy and its questions for the whole test session; nobody may write into the folder."""
    folder = Path(tempfile.mkdtemp(prefix="robotr1-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    asked = questions(folder / "images")
    return make(folder / "base", asked), asked
