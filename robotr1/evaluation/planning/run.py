"""Run the planning benchmark, for policies that were trained on planning questions (RoboGPT-R1, arXiv 2510.14828).

Such a policy was never shown the letters of the multiple-choice benchmark. Here it lists, in episodes that it has not
seen, the actions of a task that remain.
"""

from collections.abc import Sequence
from dataclasses import replace

from robotr1.evaluation.completions import FOLDER, load_completer
from robotr1.evaluation.planning.results import PlanAnswer
from robotr1.evaluation.planning.scoring import score
from robotr1.records import PlanningQuestion
from robotr1.settings import RunBenchmarks

LONGEST = 768  # tokens of a completion; the longest true plan, a tower's, has 670 of the tiny base's


def benchmark(policy: str, questions: Sequence[PlanningQuestion], settings: RunBenchmarks) -> list[PlanAnswer]:
    """Load the policy in `models/<policy>` and score its plans; completions have room for a whole plan.

    Raises PolicyError for a folder without a policy.
    """
    roomy = replace(settings, max_completion_length=max(settings.max_completion_length, LONGEST))
    return score(policy, questions, load_completer(policy, roomy, FOLDER / "planning")(questions))
