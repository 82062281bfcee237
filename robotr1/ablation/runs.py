"""One run of the ablation: train a policy, answer the held-out questions, write predictions and metrics."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from robotr1 import paths, settings
from robotr1.ablation.plan import FOLDER, Run, read_plan, section_of
from robotr1.ablation.variants import as_open, with_distractors, with_metadata
from robotr1.evaluation.multiple_choice import results
from robotr1.evaluation.multiple_choice.items import open_form_questions, read_questions, read_scenes
from robotr1.evaluation.multiple_choice.scoring import evaluate, evaluate_open_form
from robotr1.policies.generate import complete
from robotr1.policies.load import load_policy
from robotr1.records import Prediction, Question
from robotr1.settings import FinetuneSft, RunBenchmarks, SettingsError, TrainGrpo
from robotr1.training import sft
from robotr1.training.grpo import inputs
from robotr1.training.grpo import trainer as rl


def train(run: Run, chosen: FinetuneSft | TrainGrpo, study: Mapping[str, Any], output: Path) -> list[dict[str, Any]]:
    """Train the run's policy into `output`; return the log with one entry per step."""
    if isinstance(chosen, FinetuneSft):
        examples = [example for example in sft.read_examples(chosen.form) if example.split == "train"]
        return sft.finetune(chosen, examples, output=output)
    asked = inputs.read_questions(chosen)
    if run.distractors:
        asked = with_distractors(asked, run.distractors, study["build_questions"])
    if run.in_prompt:
        asked = with_metadata(asked, run.in_prompt, study["build_questions"], read_scenes(asked))
    return rl.train(chosen, asked, output=output)


def answer(
    name: str,
    policy: Path,
    run: Run,
    questions: Sequence[Question],
    study: Mapping[str, Any],
    own: Literal["", "direct", "open"],
    most_tokens: int,
    other_options: Sequence[str] = (),
) -> list[Prediction]:
    """Answer every question greedily in the multiple-choice form, and in the open form `own` that it was trained in.

    An open answer is scored by the option nearest to the written position (`evaluate_open_form`), under the policy
    name `<name>-own-form`. For every strategy in `other_options`, the waypoint questions are answered again with that
    strategy's distractors, under the name `<name>-<strategy>`.
    """
    ask: RunBenchmarks = study["run_benchmarks"]
    torch.set_num_threads(ask.threads)
    model, processor = load_policy(policy, quantization=ask.quantization)
    scenes = read_scenes(questions)

    def write(asked: Sequence[Question]) -> list[str]:
        return complete(model, processor, asked, batch_size=ask.batch_size, max_completion_length=most_tokens)

    asked = with_metadata(questions, run.in_prompt, study["build_questions"], scenes)
    predictions = evaluate(name, asked, write(asked))
    if own == "direct":
        asked = open_form_questions(questions, study["build_questions"], scenes)
        predictions += evaluate_open_form(name, asked, write(asked))
    elif own == "open":
        asked = as_open(questions)
        predictions += evaluate_open_form(name, asked, write(asked))
    for strategy in other_options:
        asked = with_distractors([q for q in questions if q.type == "waypoint"], strategy, study["build_questions"])
        predictions += evaluate(f"{name}-{strategy}", asked, write(asked))
    return predictions


def open_form(chosen: FinetuneSft | TrainGrpo | None) -> Literal["", "direct", "open"]:
    """The open form that a policy was trained in; empty for multiple choice."""
    if isinstance(chosen, FinetuneSft):
        return "direct" if chosen.form in ("direct", "cot") else ""
    return "open" if chosen is not None and chosen.form == "open" else ""


def train_and_evaluate(name: str, seed: int, folder: Path = FOLDER) -> None:
    """Train and evaluate run `name`; write model, predictions and metrics of `<name>-<seed>` below `folder`.

    Raises SettingsError for an unknown run or invalid settings, ValueError and PolicyError as training does.
    """
    plan, study = read_plan(folder), settings.load_settings()
    if name not in plan["runs"]:
        raise SettingsError(
            f"experiments/ablation/params.yaml: no run {name!r}; the runs are {', '.join(plan['runs'])}"
        )
    run, title = plan["runs"][name], f"{name}-{seed}"
    chosen = section_of(run, study, seed, folder)
    policy, log = paths.MODELS / "base", []
    if chosen is not None:
        policy = folder / "models" / title
        log = train(run, chosen, study, policy)
    answering = plan["answering"]
    questions = read_questions(most=answering["questions_per_split"])
    others = answering["other_options"]["strategies"] if name in answering["other_options"]["runs"] else ()
    most_tokens = answering["max_completion_length"]
    predictions = answer(title, policy, run, questions, study, open_form(chosen), most_tokens, others)
    with paths.atomic_folder(folder / "predictions" / title) as target:
        results.write(predictions, target)
    paths.write_json(folder / "metrics" / f"{title}.json", metrics(predictions, title, log))


def metrics(predictions: Sequence[Prediction], title: str, log: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Accuracy by form, split and type, and the mean of the last ten training steps."""
    accuracy: dict[str, Any] = {}
    for row in results.summarize(predictions).itertuples():
        form = row.policy.removeprefix(title).removeprefix("-") or "multiple_choice"
        accuracy.setdefault(form, {}).setdefault(row.split, {})[row.type] = row.accuracy
    last = log[-10:]
    names = sorted({key for entry in last for key in entry} - {"step"})
    means = {name: sum(entry.get(name, 0.0) for entry in last) / len(last) for name in names}
    return {"accuracy": accuracy, "steps": len(log), "last_ten_steps": means}
