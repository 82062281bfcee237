"""Solutions to the exercises of 08_analyze_results: `python notebooks/solutions/08_analyze_results.py`."""

import numpy as np

from robotr1 import paths
from robotr1.evaluation.multiple_choice.consistency import consistency, examine
from robotr1.evaluation.multiple_choice.results import compare
from robotr1.evaluation.multiple_choice.results import read as read_predictions
from robotr1.records import Question, read_records
from robotr1.report.style.names import headline_policy
from robotr1.settings import load_settings

SPLIT = "test_in"


def gain_by_task(predictions, trained):
    """1. The tasks differ by many points, and so does chance: with ten episodes each, most intervals hold the zero."""
    for task in sorted({p.task for p in predictions}):
        of_task = [p for p in predictions if p.task == task]
        (row,) = compare(of_task, [(trained, "base")], [SPLIT]).query("type == 'all'").itertuples()
        interval = f"[{100 * row.low:+.1f}, {100 * row.high:+.1f}]"
        print(f"{task:24} {100 * row.difference:+5.1f} points {interval:16} gained {row.gained}, lost {row.lost}")


def half_as_close(predictions, questions, policies):
    """2. Only the third share, "position near the true one", and for every policy that writes positions: the written
    places are a few centimetres off. The other two measures do not know the distance."""
    mine = [p for p in predictions if p.policy in policies]
    for distance in (0.05, 0.025):
        table = consistency(mine, questions, distance).query("type == 'all'")
        print(f"close_distance {distance} m")
        print(table.pivot(index="policy", columns="measure", values="share").round(3).to_string())


def right_thought(predictions, questions, policies):
    """3. Far more often than wrong ones do, and yet many right letters come after places that are not the true one: the
    nearest option to a wrong place can be the right option."""
    by_id = {question.id: question for question in questions}
    for policy in policies:
        mine = [p for p in predictions if p.policy == policy]
        seen = [(examine(p, by_id[p.id])["close"], p.correct) for p in mine]
        for close, words in ((True, "near the true place"), (False, "elsewhere")):
            right = [correct for where, correct in seen if where is close]
            print(f"{policy:12} thought {words:20} {np.mean(right):.0%} right of {len(right)}")


if __name__ == "__main__":
    predictions = [p for p in read_predictions() if p.split == SPLIT]
    questions = read_records(paths.QUESTIONS / f"{SPLIT}.jsonl", Question)
    trained = headline_policy({p.policy for p in predictions}) or load_settings()["policies"].trained[-1]
    gain_by_task(predictions, trained)
    half_as_close(predictions, questions, ["base", trained])
    right_thought(predictions, questions, ["base", trained])
