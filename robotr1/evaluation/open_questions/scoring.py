"""Score completions of open questions: a judge compares the text inside <answer> with the reference."""

from collections.abc import Mapping, Sequence

from robotr1.evaluation.judging.rubric import Case, Judge, answer_text
from robotr1.evaluation.open_questions.items import OpenItem
from robotr1.evaluation.open_questions.results import OpenAnswer


def score(completions: Mapping[str, Sequence[str | None]], items: Sequence[OpenItem], judge: Judge) -> list[OpenAnswer]:
    """Judge the completions of every policy; None stands for an item whose image is missing.

    All policies go to the judge in one call, so that a judge with a price can state the whole cost first.
    Raises ValueError where the numbers of items and completions differ.
    """
    for policy, texts in completions.items():
        if len(items) != len(texts):
            raise ValueError(f"{policy}: {len(items)} items but {len(texts)} completions")
    pairs = [(policy, *pair) for policy, texts in completions.items() for pair in zip(items, texts)]
    answers = [None if text is None else answer_text(text) for _, _, text in pairs]
    cases = [Case(item.ability, item.question, item.reference, answer) for (_, item, _), answer in zip(pairs, answers)]
    return [
        OpenAnswer(item.id, item.frame, item.ability, item.distribution, policy, judge.name, text, answer, judgement)
        for (policy, item, text), answer, judgement in zip(pairs, answers, judge.judge(cases))
    ]
