"""Build the other forms of a question set: those that `build_questions.forms` names."""

from collections.abc import Mapping, Sequence

from robotr1.metadata import Metadata
from robotr1.questions.forms.open import open_questions
from robotr1.questions.forms.planning import planning_questions
from robotr1.records import Keyframes, OpenQuestion, PlanningQuestion, Question
from robotr1.settings import BuildQuestions

Forms = dict[str, dict[str, list[OpenQuestion]] | dict[str, list[PlanningQuestion]]]


def other_forms(
    splits: Mapping[str, Sequence[Question]],
    keyframes: Sequence[Keyframes],
    settings: BuildQuestions,
    metadata: Mapping[str, Metadata] | None = None,
) -> Forms:
    """Questions by form and split about the frames of `splits`, to be written as <form>_<split>.jsonl."""
    made: Forms = {}
    if "open" in settings.forms:
        made["open"] = open_questions(splits, settings, metadata)
    if "planning" in settings.forms:
        made["planning"] = planning_questions(splits, keyframes, settings)
    return made
