"""The report's sentences: what was run, what was found, what each figure shows, where the limits are."""

import pandas as pd

from robotr1.evaluation.multiple_choice.results import TYPES
from robotr1.policies.names import BLANK, OPEN_FORM
from robotr1.report.names import is_reinforced, label, points
from robotr1.report.results import Results, find_row, p_text

CAPTIONS = {
    "training_curves": {
        "title": "Reinforcement learning, step by step",
        "caption": "A dot is a step, the line the mean of the last ten. Look first whether the share right rises with "
        "the reward; a reward alone can also rise because the form is kept. Then look at groups without spread: where "
        "all answers to a question get the same reward, that question teaches nothing. The share right is of sampled "
        "answers to training questions; the tests' answers are not sampled.",
    },
    "finetuning_curves": {
        "title": "Supervised fine-tuning, step by step",
        "caption": "Loss and token accuracy on the examples to imitate. Look where the curves become flat: longer "
        "training would not have changed much. The two forms write different amounts of text, so their "
        "levels do not compare.",
    },
    "accuracy": {
        "title": "Accuracy by type of question",
        "caption": "Share right with Wilson intervals over questions. The horizontal bars show what a guesser reaches "
        "that reads the options and never sees the image: only what lies above them comes from seeing. Compare "
        "each policy with the base beside it, and the upper panel with the lower. Supervised policies are asked "
        "openly, as they were trained, and the option nearest to their position is taken.",
    },
    "gains": {
        "title": "Who beats whom on the same questions",
        "caption": "Right of the line the first-named is better. Differences over all types, with bootstrap intervals "
        "that draw whole episodes; an interval that touches the line shows no difference. Supervised policies "
        "are compared in the open form, on waypoint and state questions.",
    },
    "blank_images": {
        "title": "Does the policy look at the image?",
        "caption": "The same policies answer the same questions with a grey image. A policy that looks falls "
        "toward the text-only line; one that had learned a shortcut in the words would stay where it was.",
    },
    "attention": {
        "title": "Where attention lies while a position is written",
        "caption": "Brighter patches get more attention, mean over all layers and heads; the cross is where the "
        "written position lies in the picture. Cross and brightest patch need not meet: each patch carries what "
        "others told it before. So attention shows where numbers were fetched and not what they are about; "
        "whether the policy needs the image is what the blank images tell.",
    },
    "consistency": {
        "title": "Do the words fit the answer?",
        "caption": "Left: the chosen letter is the option nearest to the position (or movement) written before it. "
        "Middle: the thing named is the one asked about. Right: the written position is near the true one. Where the "
        "left share is far below one, the words are not the reason for the letter; where the right share falls, "
        "they are less true than before.",
    },
    "faithfulness": {
        "title": "The same questions behind other thoughts",
        "caption": "Each policy answers again behind a thought that it is given, and then has to write a letter; points"
        " with Wilson intervals over questions. Own thoughts are the control. A letter that comes from the words is"
        " lost with them and goes with borrowed ones; a letter that comes from the image alone is kept, and would not"
        " fit a borrowed thought. The dotted line is a guess.",
    },
    "closed_loop": {
        "title": "Whole tasks",
        "caption": "Share of episodes in which the task was done, with Wilson intervals over episodes; every "
        "policy met the same placements. Look whether an interval leaves that of the random guess.",
    },
    "film": {
        "title": "What was seen",
        "caption": "A success and a failure, each the first there was. Over each picture stands the place that the "
        'policy named when it saw it: "as the script" (blue) where it lies near the script\'s waypoint, else the '
        "script's place below it (orange).",
    },
    "examples": {
        "title": "Examples",
        "caption": "Questions drawn at random, the true option marked, with what each policy wrote.",
    },
}


def what_was_run(results: Results) -> str:
    """Who learned what, and on how many questions, episodes and tasks everybody was tested, in a few sentences."""
    policy = results.headline_policy
    said = "Robot-R1 (arXiv 2506.00070), run anew: a vision-language policy says where a robot arm goes next. "
    if policy is not None:
        steps = f"{len(results.training[policy])} steps, " if policy in results.training else ""
        algorithm = policy.partition("-")[0]
        seeds = [name for name in results.policies if is_reinforced(name) and name.startswith(f"{algorithm}-")]
        which = "one seed" if len(seeds) == 1 else f"the first of {len(seeds)} seeds"
        said += f"It was trained by {label(policy)} ({steps}{which}). "
    tested = [_tested(results, split) for split in results.test_splits]
    return said + f"{len(results.policies)} policies and controls answered {listed(tested)}."


def _tested(results: Results, split: str) -> str:
    row = find_row(results.accuracy, split=split, type="all")
    tasks = len({q.task for q in results.questions.values() if q.split == split})
    meaning = {"test_in": " that it was trained on", "test_out": " that nobody was trained on"}.get(split, "")
    return f"{row['questions']} questions from {row['episodes']} new episodes of {tasks} tasks{meaning}"


def findings(results: Results) -> list[str]:
    """What else the numbers say, one sentence each; only what this run has numbers for."""
    policy = results.headline_policy
    said = [_gains_by_type(results, policy), _never_trained(results, policy), _without_image(results, policy)]
    return [
        sentence
        for sentence in (*said, _above_the_blind(results, policy), _what_it_writes(results, policy))
        if sentence
    ]


def _gains_by_type(results: Results, policy: str | None) -> str:
    rows = {
        kind: find_row(results.comparisons, policy=policy, baseline="base", split="test_in", type=kind)
        for kind in TYPES
        if kind != "all"
    }
    told = [f"{_span(row)} points for {kind} questions" for kind, row in rows.items() if row is not None]
    return f"The gain by type is {listed(told)}." if told else ""


def _never_trained(results: Results, policy: str | None) -> str:
    row = find_row(results.comparisons, policy=policy, baseline="base", split="test_out", type="all")
    if row is None:
        return ""
    after, before = (_right(results, name, "test_out") for name in (policy, "base"))
    return (
        f"On tasks that nobody was trained on, {label(policy)} answers {after} right and its base {before}: "
        f"{_span(row)} points, {p_text(row['p_value'])}."
    )


def _without_image(results: Results, policy: str | None) -> str:
    row = find_row(results.comparisons, policy=policy, baseline=f"{policy}{BLANK}", split="test_in", type="all")
    if row is None:
        return ""
    return (
        f"With a grey picture in place of the camera's, {label(policy)} answers "
        f"{_right(results, f'{policy}{BLANK}', 'test_in')} right, where drawing lots gives {results.chance:.0%}: the "
        f"image is worth {_span(row)} points."
    )


def _above_the_blind(results: Results, policy: str | None) -> str:
    row = find_row(results.comparisons, policy=policy, baseline="text_only", split="test_in", type="all")
    if row is None:
        return ""
    blind = _right(results, "text_only", "test_in")
    return (
        f"A guesser that learned from the words alone gets {blind}; {label(policy)} lies {_span(row)} points from it."
    )


def _what_it_writes(results: Results, policy: str | None) -> str:
    told = []
    for measure, words in _MEASURES.items():
        before, after = (
            find_row(results.consistency, policy=name, split="test_in", type="all", measure=measure)
            for name in ("base", policy)
        )
        if before is not None and after is not None and min(before["questions"], after["questions"]):
            told.append(f"{words} in {_share(after)} of the answers (base: {_share(before)})")
    return f"Of the words before the letter: {'; '.join(told)}." if told else ""


def _span(row: pd.Series) -> str:
    return points(row["difference"], row["low"], row["high"])


def _share(row: pd.Series) -> str:
    return f"{row['share']:.0%} [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"


def _right(results: Results, policy: str, split: str) -> str:
    return f"{find_row(results.accuracy, policy=policy, split=split, type='all')['accuracy']:.1%}"


def who_answered(results: Results) -> list[tuple[str, str]]:
    """Name and meaning of the policies and controls of this run, in the report's order."""
    found: dict[str, str] = {}
    for policy in results.policies:
        plain = policy.removesuffix(OPEN_FORM).removesuffix(BLANK)
        meaning = REINFORCED if is_reinforced(plain) else MEANINGS.get(plain, "")
        if meaning:
            found.setdefault(label(plain), meaning)
    for ending, name in ((OPEN_FORM, "…, open form"), (BLANK, "…, blank image")):
        if any(policy.endswith(ending) for policy in results.policies):
            found[name] = MEANINGS[ending]
    return list(found.items())


def limits(results: Results) -> list[str]:
    """What a reader must not conclude."""
    sentences = [
        "The embedded base is a small model that was taught to see and to speak the answer form, and kept "
        "ignorant of where each task's next waypoint lies. Reinforcement learning teaches whatever earns the letter; "
        "the table of written places tells how much of that is the task's rule, and how much the short cut of staying "
        "near the gripper. None of it tells the size of the gain for a 7-billion-parameter model.",
        "Demonstrations come from a small simulated tabletop by default, not from RLBench in CoppeliaSim.",
        "The paper's numbers are scores of free text by a judge, or successes in other benchmarks. They are printed "
        "for the reader and never on one scale with ours.",
        "Wilson's intervals over questions and McNemar's test treat the frames of one episode as independent, which "
        "they are not quite; differences have intervals over whole episodes, and so has every accuracy in the "
        "tables' CSV.",
        "One training is one draw: another seed asks other questions in another order and ends elsewhere.",
    ]
    few = results.accuracy.query("type == 'all'")["episodes"].min() if len(results.accuracy) else 0
    if few < 10:
        sentences.insert(
            0, f"A split of this run has only {few} episode(s): its numbers show that the study runs, no more."
        )
    if results.headline_policy is None:
        sentences.insert(0, "No policy was trained by reinforcement learning in this run.")
    return sentences


_MEASURES = {
    "agrees": "the letter is the option nearest to what they say",
    "names": "the thing asked about is named",
    "close": "the written position is near the true one",
}
REINFORCED = "the base after reinforcement learning on letter and form"
MEANINGS = {
    "random": "a letter by lot, the floor",
    "majority": "the letter that was right most often in training, by type of question",
    "text_only": "the best blind guess: fitted to the words of training questions, without images",
    "base": "the vision-language policy before any training in this study",
    "sft-direct": "the base after imitating true positions",
    "sft-cot": "the base after imitating written thoughts that end in true positions",
    "sft-cold_start": "the base after imitating thoughts and letters, a start for reinforcement learning",
    "sft-planning": "the base after imitating plans",
    "oracle": "knows the truth, the ceiling",
    OPEN_FORM: "asked openly, as it was trained; the option nearest to the position that it writes is taken",
    BLANK: "the same policy with a grey picture in place of the camera's",
}


def listed(parts: list[str]) -> str:
    """ "a, b and c"."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
