"""Solutions to the exercises of 07_run_benchmarks: `python notebooks/solutions/07_run_benchmarks.py`."""

import re

import numpy as np

from robotr1 import paths
from robotr1.evaluation.multiple_choice.results import read as read_predictions
from robotr1.evaluation.multiple_choice.results import summarize
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.policies.generate import complete
from robotr1.policies.load import load_policy
from robotr1.policies.names import parse_name
from robotr1.records import Question, read_records
from robotr1.settings import load_settings

SOME = 60  # questions that are sampled; raise it for narrower intervals


def blank_by_task(predictions):
    """1. No: without the image no task is above chance. One or two are below it, as some of so many intervals will be."""
    blank = [p for p in predictions if parse_name(p.policy).images == "blank" and p.split == "test_in"]
    print(summarize(blank, by="task")[["policy", "task", "questions", "accuracy", "low", "high"]].round(2).to_string())


def sampled(policies):
    """2. Lower, for both: sampling sometimes takes a word that the policy itself finds less likely. Training makes the
    likely words likelier, so the trained policy loses less."""
    asked = [q for q in read_records(paths.QUESTIONS / "test_in.jsonl", Question) if q.type == "waypoint"]
    asked = [asked[i] for i in np.random.default_rng(0).permutation(len(asked))[:SOME]]
    for name in policies:
        policy = load_policy(paths.MODELS / name)
        for temperature in (0.0, 1.0):
            ask = dict(batch_size=SOME, max_completion_length=64, temperature=temperature)
            right = [p.correct for p in evaluate(name, asked, complete(*policy, asked, **ask))]
            print(f"{name:12} temperature {temperature}: {np.mean(right):.0%} of {len(right)}")


def lenient_reader(predictions):
    """3. CoT SFT, from 1 to 10 %, and nobody else: most of its answers and of direct SFT's hold no letter at all, so both stay
    below chance. Base and GRPO stay as they are, since nearly all their answers can be read anyway."""
    answers = {q.id: q.answer for q in read_records(paths.QUESTIONS / "test_in.jsonl", Question)}
    for name in ["base", *load_settings()["policies"].trained]:
        mine = [p for p in predictions if p.split == "test_in" and p.policy == name]
        last = [(re.findall(r"\b[A-D]\b", p.completion) or [""])[-1] for p in mine]
        lenient = np.mean([letter == answers[p.id] for p, letter in zip(mine, last, strict=True)])
        print(f"{name:12} strict {np.mean([p.correct for p in mine]):.0%}, lenient {lenient:.0%}")


if __name__ == "__main__":
    predictions = read_predictions()
    blank_by_task(predictions)
    lenient_reader(predictions)
    sampled(["base", next(name for name in load_settings()["policies"].trained if name.startswith("grpo"))])
