"""Supervised fine-tuning with TRL's SFTTrainer and LoRA.

There are four answer forms. `direct` and `cot` are the paper's baselines on open questions (§4.1, appendix B.2).
`cold_start` has chains of thought under the multiple-choice prompt, as a start for GRPO (Table 13). `planning` lists
the remaining actions, the first stage of RoboGPT-R1 (arXiv 2510.14828).
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import ProcessorMixin
from trl import SFTConfig, SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

from robotr1 import paths
from robotr1.policies.adapters import lora_config
from robotr1.policies.inputs.image_cache import encode_images_once, prepare_images_once
from robotr1.policies.load import load_model
from robotr1.policies.processor import load_processor
from robotr1.records import Question, SftExample, read_records
from robotr1.settings import FinetuneSft
from robotr1.training import parallel, preflight, runs
from robotr1.training.checkpoints import fingerprint
from robotr1.training.curves import curve_callbacks
from robotr1.training.log import step_log
from robotr1.training.memory import torch_threads


def read_examples(form: str, folder: Path | None = None) -> list[SftExample]:
    """The examples of `form`, train and validation.

    Raises ValueError where their file is missing, RecordError where it is broken.
    """
    folder = folder or paths.QUESTIONS
    path = folder / f"sft_{'cot' if form == 'cold_start' else form}.jsonl"
    if not path.is_file():
        fix = " with planning among build_questions.forms" if form == "planning" else ""
        raise ValueError(f"form: {paths.relative(path)} is missing; run the stage build_questions{fix}.")
    examples = read_records(path, SftExample)
    if form != "cold_start":
        return examples
    questions = [q for split in ("train", "validation") for q in read_records(folder / f"{split}.jsonl", Question)]
    return cold_start_examples(questions, {example.id: example for example in examples})


def cold_start_examples(questions: Sequence[Question], chains: Mapping[str, SftExample]) -> list[SftExample]:
    """Multiple-choice questions answered with the chain of thought of the same open question (`chains`, by id).

    Thoughts about waypoints and movements name subtask, movement and position. The plan is left out except for the
    present step: longer thoughts would often be truncated. (The paper has GPT-4.1-mini write its thoughts.)
    Questions without a chain are left out.
    """
    examples = []
    for question in questions:
        open_id = question.id.replace("/movement", "/waypoint")
        if open_id not in chains:
            continue
        lines = chains[open_id].completion.splitlines()
        thought = " ".join(line.replace("Answer: ", "Place: ") for line in lines if not line.startswith("Plan: "))
        completion = f"<think> {thought} </think> <answer> [[{question.answer}]] </answer>"
        examples.append(replace(chains[open_id], id=question.id, prompt=question.prompt, completion=completion))
    return examples


def sft_dataset(examples: Sequence[SftExample]) -> Dataset:
    """Columns `prompt` and `completion` (one chat turn each) and `image`."""
    return runs.with_images(
        [
            {
                "prompt": [{"role": "user", "content": example.prompt}],
                "completion": [{"role": "assistant", "content": example.completion}],
                "image": example.image,
            }
            for example in examples
        ]
    )


def sft_arguments(settings: FinetuneSft, name: str) -> dict[str, Any]:
    """The arguments of TRL's configuration, with every choice stated.

    Prompts are never truncated: an image's tokens must stay together.
    """
    size, accumulation = runs.micro_batches(settings.batch_size, settings.micro_batch)
    return {
        **runs.common_arguments(settings, name),
        "per_device_train_batch_size": size,
        "gradient_accumulation_steps": accumulation,
        "lr_scheduler_type": "cosine",
        "save_steps": settings.save_steps,
        "completion_only_loss": True,
        "max_length": None,
        "packing": False,
        "loss_type": "nll",
        "shuffle_dataset": False,
    }


def make_trainer(settings: FinetuneSft, examples: Sequence[SftExample], base: str | Path, name: str) -> SFTTrainer:
    """TRL's trainer on a freshly loaded base with a fresh LoRA adapter."""
    callbacks = curve_callbacks(settings.report_to, paths.CHECKPOINTS / name)
    return SFTTrainer(
        model=load_model(base, quantization=settings.quantization),
        args=SFTConfig(**sft_arguments(settings, name)),
        train_dataset=sft_dataset(examples),
        processing_class=load_processor(base),
        peft_config=lora_config(settings.lora_rank, settings.lora_alpha),
        callbacks=callbacks,
    )


def loss_tokens(processor: ProcessorMixin, example: SftExample) -> list[tuple[str, bool]]:
    """The tokens of one example as in training, each with whether it counts in the loss."""
    collate = DataCollatorForVisionLanguageModeling(processor=processor, completion_only_loss=True)
    batch = collate([sft_dataset([example])[0]])
    texts = [processor.tokenizer.decode([token]) for token in batch["input_ids"][0]]
    return list(zip(texts, (batch["labels"][0] != -100).tolist(), strict=True))


def finetune(
    settings: FinetuneSft,
    examples: Sequence[SftExample],
    base: str | Path = paths.MODELS / "base",
    output: Path | None = None,
) -> list[dict[str, Any]]:
    """Fine-tune `base` on demonstration answers and save the adapter in `output`; return the log, one entry per step.

    Only the completion's tokens count in the loss; the vision tower stays frozen. Resumes from the last checkpoint of
    the same run if there is one. Raises PolicyError for an unusable base and ValueError for no examples.
    """
    if not examples:
        raise ValueError("no examples to train on; run the stage build_questions.")
    output = output or paths.MODELS / f"sft-{settings.form}"
    with torch_threads(settings.threads):
        trainer = make_trainer(settings, examples, base, output.name)
        preflight.check(trainer.model, trainer.processing_class, examples, base)
        sharded = parallel.is_sharded(trainer.accelerator)
        image_features = nullcontext() if sharded else encode_images_once(trainer.model)
        with image_features, prepare_images_once(trainer.processing_class):
            runs.run(trainer, fingerprint(settings, examples, base))
        log = step_log(trainer.state.log_history)
        runs.save(trainer, base, output, log, settings)
    return log
