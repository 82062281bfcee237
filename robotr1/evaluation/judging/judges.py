"""Which judges score a run: the one that the settings name, and a second one, so that their agreement can be studied.

Where the rules judge (`ReferenceJudge`), the second is `WordsJudge`, which knows no rules: what it gets right needs
none. Where a language model judges, the rules are the second.
"""

import re
from collections import Counter
from collections.abc import Sequence

from robotr1 import paths
from robotr1.evaluation.judging.reference import EndpointJudge, ReferenceJudge
from robotr1.evaluation.judging.rubric import NO_ANSWER, Case, Judge, Judgement
from robotr1.settings import RunBenchmarks

REPLIES = paths.CHECKPOINTS / "judge"  # outlives the stage: a reply that was paid for is never asked for again
OVERLAPS = (0.9, 0.6, 0.3)  # of words: at least so much for 3, 2, 1
_WORD = re.compile(r"[a-z0-9.]*[a-z0-9]")


class WordsJudge:
    """Scores an answer by the words that it shares with its reference (F1 of the two bags of words), and nothing else.

    A lower bound for judges: "to the left of the cup" and "to the right of the cup" are nearly the same to it.
    """

    name = "words"

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        return [self._judge_one(case) for case in cases]

    def _judge_one(self, case: Case) -> Judgement:
        if not (case.answer and case.answer.strip()):
            return NO_ANSWER
        wanted, told = (Counter(_WORD.findall(text.lower())) for text in (case.reference, case.answer))
        shared = (wanted & told).total()
        overlap = 2 * shared / max(1, wanted.total() + told.total())
        score = next((3 - place for place, least in enumerate(OVERLAPS) if overlap >= least), 0)
        return Judgement(score, "scored", f"{overlap:.0%} of the words are shared")


def judges_of(settings: RunBenchmarks) -> tuple[Judge, Judge]:
    """The judge whose scores count, and the one that is compared with it."""
    if settings.judge == "reference":
        return ReferenceJudge(), WordsJudge()
    return EndpointJudge(settings.judge_url, settings.judge_model, cache=REPLIES), ReferenceJudge()
