"""Planning questions (RoboGPT-R1, arXiv 2510.14828): from the image, which actions of the task remain?

A task's script has one action for each keyframe, so the actions that remain at a frame are those from the next keyframe
on. All scripted tasks of a study share one list of actions. An episode whose keyframes do not match its task's script
gives no planning question, since its remaining actions are unknown. `unplanned` counts the frames of such episodes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from robotr1.questions.forms.plans import ACTION_FIELDS, SECTIONS, agreement, write_plan
from robotr1.questions.forms.scripts import action_list, fits_script, script
from robotr1.questions.prompts import ROLE, Form, join_sections, sentence
from robotr1.records import Keyframes, PlanningQuestion, Question, SftExample
from robotr1.settings import BuildQuestions

WHICH_REMAIN = "Which actions remain, in order?"


def planning_questions(
    splits: Mapping[str, Sequence[Question]], keyframes: Sequence[Keyframes], settings: BuildQuestions
) -> dict[str, list[PlanningQuestion]]:
    """Write one planning question for each frame that `splits` ask about, in the same order.

    Frames of episodes that do not fit their script are left out (see `unplanned`). Raises KeyError for a question whose
    episode has no line in `keyframes`.
    """
    actions = list(action_list(frozenset(question.task for questions in splits.values() for question in questions)))
    lines = _by_episode(keyframes)
    asked: dict[str, list[PlanningQuestion]] = {split: [] for split in splits}
    for split, questions in splits.items():
        for question in one_per_frame(questions):
            line = lines[_episode(question)]
            if not fits_script(line):
                continue
            remaining = script(line.task, line.variation)[line.keyframes.index(question.keyframe) :]
            asked[split].append(
                PlanningQuestion(
                    id=f"{question.id.rpartition('/')[0]}/planning",
                    split=question.split,
                    type="planning",
                    task=question.task,
                    variation=question.variation,
                    image=question.image,
                    instruction=question.instruction,
                    actions=actions,
                    answer=[actions.index(action) for action in remaining],
                    prompt=planning_prompt(question.instruction, actions, form=settings.prompt),
                )
            )
    return asked


def unplanned(splits: Mapping[str, Sequence[Question]], keyframes: Sequence[Keyframes]) -> dict[str, int]:
    """Count, by task, the frames without a planning question because their episode does not fit its script."""
    lines = _by_episode(keyframes)
    frames = [question for questions in splits.values() for question in one_per_frame(questions)]
    return dict(Counter(question.task for question in frames if not fits_script(lines[_episode(question)])))


def one_per_frame(questions: Iterable[Question]) -> list[Question]:
    """The first question of each frame."""
    frames: dict[tuple, Question] = {}
    for question in questions:
        frames.setdefault((*_episode(question), question.frame), question)
    return list(frames.values())


def blind_plans(training: Sequence[PlanningQuestion]) -> dict[str, list[int]]:
    """For each task, the answer with the best mean agreement on `training`: what a policy reaches without the image."""
    answers: dict[str, Counter[tuple[int, ...]]] = {}
    for question in training:
        answers.setdefault(question.task, Counter())[tuple(question.answer)] += 1
    return {
        task: list(max(counts, key=lambda guess: sum(n * agreement(guess, answer) for answer, n in counts.items())))
        for task, counts in answers.items()
    }


def planning_example(question: PlanningQuestion) -> SftExample:
    """Write the supervised answer: what is done, what comes next and the remaining actions, in RoboGPT-R1's form."""
    steps = script(question.task, question.variation)
    done, remaining = steps[: len(steps) - len(question.answer)], [question.actions[i] for i in question.answer]
    description = f"The last thing done is: {done[-1]}." if done else "The task has not begun."
    reasoning = f"{len(done)} of {len(steps)} steps are done. Next: {remaining[0]}."
    completion = write_plan(description, reasoning, question.answer, question.actions)
    return SftExample(
        question.id, question.split, "planning", question.task, question.image, question.prompt, completion
    )


def planning_prompt(instruction: str, actions: Sequence[str], *, form: Form) -> str:
    """Write the prompt that asks which of `actions` remain; the answer is one JSON object (see `plans`)."""
    entry = "{" + ", ".join(f'"{name}": …' for name in ACTION_FIELDS) + "}"
    if form == "compact":
        listed = "; ".join(f"{number} {action}" for number, action in enumerate(actions))
        answer = f"Answer as JSON with {', '.join(SECTIONS)} [{entry}, …]."
        return "\n".join([f"Task: {sentence(instruction)}", f"Actions: {listed}.", WHICH_REMAIN, answer])
    seen, reasoned, words, listed = SECTIONS
    return join_sections(
        [
            ("", ROLE),
            ("Task", sentence(instruction)),
            ("Visual Input", "One image: the front view of the workspace."),
            ("Available Actions", "\n".join(f"action id {number}: {name}" for number, name in enumerate(actions))),
            ("Question", f"The image shows how far the task has come. {WHICH_REMAIN}"),
            (
                "Output Format",
                f'Answer with one JSON object. "{seen}": what the image shows. "{reasoned}": what is done and what '
                f'comes next, and why. "{words}": the remaining steps in words, numbered. "{listed}": the same steps '
                f"as a list [{entry}, …], ids and names as in the available actions.",
            ),
        ]
    )


def _by_episode(keyframes: Iterable[Keyframes]) -> dict[tuple[str, int, int], Keyframes]:
    return {(line.task, line.variation, line.episode): line for line in keyframes}


def _episode(question: Question) -> tuple[str, int, int]:
    return question.task, question.variation, question.episode
