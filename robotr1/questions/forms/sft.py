"""Examples for the supervised baselines (Robot-R1, appendix B.2): an open question and the answer to imitate.

direct: only the state. cot: for waypoint questions the plan, the current step, the movement and the state; state
questions keep the direct answer, since the paper writes chains of thought for waypoints only. Plans come from the
tasks' scripts. An episode that does not fit its script gets a plain plan with one step for each keyframe. The third
form, planning, is in `planning.planning_example`.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from robotr1.metadata import Metadata
from robotr1.questions.forms.scripts import plan_steps
from robotr1.questions.movement import describe_motion
from robotr1.questions.prompts import FULL_OPEN_QUESTION, format_state, open_prompt_of
from robotr1.records import Keyframes, Question, SftExample
from robotr1.settings import BuildQuestions

SftForm = Literal["direct", "cot"]
FORMS: tuple[SftForm, ...] = ("direct", "cot")


def sft_examples(
    questions: Sequence[Question],
    keyframes: Sequence[Keyframes],
    settings: BuildQuestions,
    metadata: Mapping[str, Metadata] | None = None,
) -> dict[SftForm, list[SftExample]]:
    """Write supervised examples of both forms for waypoint and state questions, in the questions' order.

    Raises KeyError for a question whose episode has no line in `keyframes`.
    """
    keyframes_of = {(line.task, line.variation, line.episode): line.keyframes for line in keyframes}
    examples: dict[SftForm, list[SftExample]] = {form: [] for form in FORMS}
    for question in questions:
        if question.type not in FULL_OPEN_QUESTION:
            continue
        prompt = open_prompt_of(question, settings, (metadata or {}).get(question.task))
        direct = format_state(question.target if question.type == "waypoint" else question.state, settings.decimals)
        chain = direct
        if question.type == "waypoint":
            chain = chain_of_thought(
                question, keyframes_of[question.task, question.variation, question.episode], settings
            )
        for form, completion in zip(FORMS, (direct, chain), strict=True):
            examples[form].append(
                SftExample(question.id, question.split, form, question.task, question.image, prompt, completion)
            )
    return examples


def chain_of_thought(question: Question, keyframes: Sequence[int], settings: BuildQuestions) -> str:
    """Write the four lines Plan, Subtask, Move and Answer for a waypoint question.

    `keyframes` are those of the question's episode and include `question.keyframe`.
    """
    plan = plan_steps(question.task, len(keyframes), question.variation)
    steps = " ".join(f"{number}. {step}" for number, step in enumerate(plan, start=1))
    movement = describe_motion(question.state, question.target, settings.dead_zone)
    return "\n".join(
        [
            f"Plan: {steps}",
            f"Subtask: {plan[keyframes.index(question.keyframe)]}",
            f"Move: {movement}",
            f"Answer: {format_state(question.target, settings.decimals)}",
        ]
    )
