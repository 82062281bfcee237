"""Choose a run's judges: the one from the settings, and a second one whose agreement with it is measured.

Beside the rules (`ReferenceJudge`), the second is `WordsJudge`, which counts common words and shows what needs no rule.
Beside a language model, the second are the rules.
"""

import re
from collections import Counter
from collections.abc import Sequence

from robotr1 import paths
from robotr1.evaluation.judging.endpoint import EndpointJudge
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.judging.rubric import NO_ANSWER, Case, Judge, Judgement
from robotr1.settings import RunBenchmarks

REPLIES = paths.CHECKPOINTS / "judge"  # the cache of replies outlives the stage, so none is paid for twice
OVERLAPS = (0.9, 0.6, 0.3)  # of words: the minimum for 3, 2, 1
_WORD = re.compile(r"[a-z0-9.]*[a-z0-9]")


class WordsJudge:
    """Scores an answer by the words that it shares with its reference (F1 of the two bags of words).

    This is a lower bound for judges: it hardly tells "to the left of the cup" from "to the right of the cup".
    """

    name = "words"

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        return [self._judge_one(case) for case in cases]

    def _judge_one(self, case: Case) -> Judgement:
        if not (case.answer and case.answer.strip()):
            return NO_ANSWER
        wanted, given = (Counter(_WORD.findall(text.lower())) for text in (case.reference, case.answer))
        shared = (wanted & given).total()
        overlap = 2 * shared / max(1, wanted.total() + given.total())
        score = next((3 - place for place, least in enumerate(OVERLAPS) if overlap >= least), 0)
        return Judgement(score, "scored", f"{overlap:.0%} of the words are shared")


def judges_of(settings: RunBenchmarks) -> tuple[Judge, Judge]:
    """The judge whose scores count, and the one to compare it with."""
    if settings.judge == "reference":
        return ReferenceJudge(), WordsJudge()
    return EndpointJudge(settings.judge_url, settings.judge_model, cache=REPLIES), ReferenceJudge()
