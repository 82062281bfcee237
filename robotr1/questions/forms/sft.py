"""Examples for the supervised baselines (Robot-R1, appendix B.2): an open question and the answer to imitate.

direct: the state and nothing else. cot: for waypoint questions the plan, the present step, the movement and the state;
state questions keep the direct answer, since the paper writes chains of thought for waypoints only. Plans come from the
tasks' hand-written scripts, one step per keyframe; an episode that does not fit its script (`planning.unplanned` counts
such) gets a plain plan, whose steps say no more than the keyframes do. planning: see `planning.planning_example`.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from robotr1.demos.tabletop.tasks import OBJECTS
from robotr1.metadata import Metadata
from robotr1.questions.forms.planning import script
from robotr1.questions.movement import describe_motion
from robotr1.questions.prompts import FULL_OPEN_QUESTION, format_state, sft_prompt
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
    """Turn waypoint and state questions into supervised examples of both forms, in the questions' order.

    Raises KeyError for a question whose episode has no line in `keyframes`.
    """
    keyframes_of = {(line.task, line.variation, line.episode): line.keyframes for line in keyframes}
    examples: dict[SftForm, list[SftExample]] = {form: [] for form in FORMS}
    for question in questions:
        if question.type not in FULL_OPEN_QUESTION:
            continue
        prompt = sft_prompt(
            question.type,
            question.instruction,
            question.state if settings.show_state else None,
            form=settings.prompt,
            decimals=settings.decimals,
            metadata=(metadata or {}).get(question.task),
            kind=settings.state,
        )
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

    `keyframes` are those of the question's episode and hold `question.keyframe`.
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


def plan_steps(task: str, count: int, variation: int = 0) -> tuple[str, ...]:
    """The task's script when it has `count` steps; else a plain plan with a step per keyframe."""
    if len(steps := script(task, variation)) == count:
        return steps
    thing = OBJECTS.get(task, ("object",))[0]
    approach = (f"move to the {thing}",) if count > 1 else ()
    middle = tuple(f"go on to waypoint {number}" for number in range(2, count))
    return approach + middle + ("finish the task",)
