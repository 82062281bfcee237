"""How long the multiple-choice exam takes: questions of this study, put to one policy as `run_benchmarks` does it.

    python performance/exam_speed.py [--policy base] [--questions 2000] [--threads 2] [--write]

Loading the policy, reading the images, answering and scoring all count; starting Python and importing torch do not, and
are told apart. Nothing is taken from an earlier run. --write keeps the line in performance/results/exam_speed.md.
"""

import argparse
import dataclasses
import os
import resource
import tempfile
import time
from pathlib import Path

from stage_times import MEGABYTES, machine

from robotr1.evaluation.completions import load_completer
from robotr1.evaluation.multiple_choice.items import read_questions
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.settings import load_settings

RESULTS = Path(__file__).resolve().parent / "results/exam_speed.md"
TARGET = 120  # seconds for 2,000 questions with the tiny policy on two cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policy", default="base", help="a folder of models/")
    parser.add_argument("--questions", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="keep the line in performance/results/exam_speed.md")
    arguments = parser.parse_args()
    questions = read_questions(splits=["test_in", "test_out", "validation", "train"])[: arguments.questions]
    settings = dataclasses.replace(load_settings()["run_benchmarks"], threads=arguments.threads)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    started = time.perf_counter()
    import robotr1.policies.generate
    import robotr1.policies.load  # noqa: F401

    imported, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        complete = load_completer(arguments.policy, settings, Path(folder))
        predictions = evaluate(arguments.policy, questions, complete(questions))
    wall, cpu = time.perf_counter() - imported, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTES
    right = sum(prediction.correct for prediction in predictions) / len(predictions)
    line = (
        f"`python performance/exam_speed.py --policy {arguments.policy} --questions {len(questions)} --threads "
        f"{arguments.threads}` on {machine()}, load {load:.1f} before the start: **{wall:.0f} s** for {len(questions)} "
        f"questions ({cpu:.0f} CPU seconds, {peak:.0f} MB at most; {right:.1%} right), and {imported - started:.0f} s "
        f"for imports before. Wanted: {TARGET} s for 2,000."
    )
    print(line)
    if arguments.write:
        RESULTS.write_text(f"# Speed of the multiple-choice exam\n\n{line}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
