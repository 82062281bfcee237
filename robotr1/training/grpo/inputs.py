"""What a reinforcement run asks, what earns a reward there, and what it starts from.

Everything that cannot work is said here, before a step is taken: no questions of that form or type, no room for an
answer, a start that is missing or stands on another base.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import ProcessorMixin

from robotr1 import paths
from robotr1.policies.adapters import load_adapter, lora_config
from robotr1.policies.folders import PolicyError, base_of, resolve
from robotr1.policies.load import load_model
from robotr1.questions.forms.plans import write_plan
from robotr1.questions.thoughts import letters_written
from robotr1.records import OpenQuestion, PlanningQuestion, Question, read_records
from robotr1.settings import TrainGrpo
from robotr1.training import runs

Asked = Question | OpenQuestion | PlanningQuestion


class Form(NamedTuple):
    """One way to ask: where its questions lie, which columns its rewards read, what an answer needs at least."""

    file: str  # below data/questions
    record: type
    columns: tuple[str, ...]
    shortest: Callable[[Any], str]


FORMS = {
    "mcqa": Form(
        "{}.jsonl",
        Question,
        ("answer", "type", "options"),
        lambda question: f"<think> . </think> <answer> [[{question.answer}]] </answer>",
    ),
    "open": Form(
        "open_{}.jsonl",
        OpenQuestion,
        ("answer", "type"),
        lambda question: str([0] * len(question.answer)),
    ),
    "planning": Form(
        "planning_{}.jsonl",
        PlanningQuestion,
        ("answer", "actions", "type"),
        lambda question: write_plan(".", ".", question.answer[:1], question.actions),
    ),
}


def read_asked(settings: TrainGrpo, split: str = "train", folder: Path | None = None) -> list[Asked]:
    """The questions of `split` in the form and of the types of `settings`.

    Planning has one type only, and movement questions have no open form: there `types` says no more than it can.
    Raises ValueError where the file is missing or lacks one of the types, RecordError where it is broken.
    """
    form = FORMS[settings.form]
    path = (folder or paths.QUESTIONS) / form.file.format(split)
    if not path.is_file():
        fix = "" if settings.form == "mcqa" else f" with {settings.form} among build_questions.forms"
        raise ValueError(f"form: {paths.relative(path)} is missing; run the stage build_questions{fix}.")
    questions = read_records(path, form.record)
    wanted = {
        "mcqa": set(settings.types),
        "open": set(settings.types) - {"movement"},
        "planning": {"planning"},
    }[settings.form]
    if missing := wanted - {question.type for question in questions}:
        names = ", ".join(sorted(missing))
        raise ValueError(f"types: {paths.relative(path)} has no {names} question; see build_questions.types.")
    return [question for question in questions if question.type in wanted]


def asked_dataset(form: str, questions: Sequence[Asked]) -> Dataset:
    """Columns `prompt` (one chat turn) and `image` for the policy, and those that the rewards of `form` read."""
    return runs.with_images(
        [
            {"prompt": [{"role": "user", "content": q.prompt}], "image": q.image}
            | {column: getattr(q, column) for column in FORMS[form].columns}
            for q in questions
        ]
    )


def check_questions(settings: TrainGrpo, questions: Sequence[Asked], processor: ProcessorMixin) -> None:
    """Raises ValueError where the questions are of another form, or no right answer fits `max_completion_length`,
    or a thought is to agree with options that it cannot be compared with."""
    form = FORMS[settings.form]
    if strangers := {type(question).__name__ for question in questions} - {form.record.__name__}:
        raise ValueError(f"form: {settings.form} trains on {form.record.__name__}, got {', '.join(strangers)}.")
    if settings.consistency_weight:
        for question in questions:
            if letters_written(question.type, question.options, question.options[0]) is None:
                raise ValueError(f"consistency_weight: options of {question.id} fit no thought: {question.options}")
    texts = sorted({form.shortest(question) for question in questions}, key=len)[:20]
    needed = min(len(ids) for ids in processor.tokenizer(texts)["input_ids"])
    if needed > settings.max_completion_length:
        raise ValueError(
            f"max_completion_length: {settings.max_completion_length} tokens hold no right answer of the form "
            f"{settings.form}; the shortest has {needed}."
        )


def start_folder(settings: TrainGrpo) -> Path | None:
    """The folder of the supervised policy that the run starts from: in models/, or below the project where the name
    has a slash; None for the base."""
    if settings.start == "base":
        return None
    return (paths.ROOT if "/" in settings.start else paths.MODELS) / settings.start


def check_start(settings: TrainGrpo, base: str | Path) -> None:
    """Raises PolicyError where `settings.start` is missing, no adapter, of another base, or of another LoRA size."""
    folder = start_folder(settings)
    if folder is None:
        return
    if not folder.is_dir():
        form = settings.start.removeprefix("sft-")
        raise PolicyError(
            f"start: {paths.relative(folder)} is missing; train it first (`dvc repro finetune_sft@{form}`, with {form} "
            "among policies.forms), or start from base."
        )
    stands_on = base_of(folder)
    if stands_on is None:
        raise PolicyError(f"start: {paths.relative(folder)} is no adapter; name a supervised policy, or base.")
    if resolve(stands_on) != resolve(base):
        raise PolicyError(f"start: {settings.start} was trained on {stands_on}, not on {paths.relative(base)}.")
    config = json.loads((folder / "adapter_config.json").read_text())
    for field, ours, theirs in (
        ("lora_rank", settings.lora_rank, config["r"]),
        ("lora_alpha", settings.lora_alpha, config["lora_alpha"]),
    ):
        if ours != theirs:
            raise PolicyError(f"{field}: {ours}, but {settings.start} has {theirs}, and its adapter keeps its size.")


def load_start(settings: TrainGrpo, base: str | Path) -> tuple[torch.nn.Module, LoraConfig | None]:
    """The model to train, and the LoRA still to be put on it: None where it has the adapter of `settings.start`.

    Raises PolicyError as `check_start` and `load_model` do, and where the adapter does not fit the base's shapes.
    """
    check_start(settings, base)
    model, folder = load_model(base, quantization=settings.quantization), start_folder(settings)
    if folder is None:
        return model, lora_config(settings.lora_rank, settings.lora_alpha)
    model = load_adapter(model, folder, base, is_trainable=True)
    model.peft_config["default"].base_model_name_or_path = resolve(base)  # or saving looks for it in this folder
    return model, None
