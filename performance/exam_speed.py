"""Measure how long one policy takes to answer the study's multiple-choice questions, as in `run_benchmarks`.

    python performance/exam_speed.py [--policy base] [--questions 2000] [--threads 2] [--write]

Loading the policy, reading images, answering and scoring are included; importing torch is measured separately. Nothing
is reused from an earlier run. --write writes performance/results/exam_speed.json and exam_speed.md.
"""

import argparse
import dataclasses
import resource
import tempfile
import time
from pathlib import Path

from common import MEGABYTES, load_average, machine, write

from robotr1.evaluation.completions import load_completer
from robotr1.evaluation.multiple_choice.items import read_questions
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.settings import load_settings

TARGET = 120  # seconds for 2,000 questions with the tiny policy on two cores


def page(result: dict) -> str:
    """The result as markdown."""
    command = "python performance/exam_speed.py --policy {policy} --questions {questions} --threads {threads}"
    text = (
        f"`{command}` on {{machine}}, load {{load:.1f}} before the start: **{{seconds:.0f}} s** for {{questions}} "
        "questions ({cpu_seconds:.0f} CPU seconds, {peak_rss_mb:.0f} MB at most; {accuracy:.1%} right), and "
        f"{{import_seconds:.0f}} s for imports before. Wanted: {TARGET} s for 2,000."
    )
    return f"# Speed of the multiple-choice exam\n\n{text.format(**result)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policy", default="base", help="a folder of models/")
    parser.add_argument("--questions", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="write performance/results/exam_speed.json and .md")
    arguments = parser.parse_args()
    questions = read_questions(splits=["test_in", "test_out", "validation", "train"])[: arguments.questions]
    settings = dataclasses.replace(load_settings()["run_benchmarks"], threads=arguments.threads)
    load = load_average()
    started = time.perf_counter()
    import robotr1.policies.generate
    import robotr1.policies.load  # noqa: F401

    imported, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        complete = load_completer(arguments.policy, settings, Path(folder))
        predictions = evaluate(arguments.policy, questions, complete(questions))
    wall, cpu = time.perf_counter() - imported, time.process_time() - cpu
    result = {
        "policy": arguments.policy,
        "questions": len(questions),
        "threads": arguments.threads,
        "machine": machine(),
        "load": load,
        "seconds": wall,
        "cpu_seconds": cpu,
        "import_seconds": imported - started,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTES,
        "accuracy": sum(prediction.correct for prediction in predictions) / len(predictions),
    }
    print(page(result))
    if arguments.write:
        write("exam_speed", result, page(result))


if __name__ == "__main__":
    main()
