"""Start and end of the report: what was run, further findings, the policies, the limits."""

import pandas as pd

from robotr1.evaluation.multiple_choice.results import TYPES
from robotr1.policies.names import BLANK, OPEN_FORM, parse_name
from robotr1.report.results import Results
from robotr1.report.style.names import is_reinforced, label
from robotr1.report.style.tables import find_row
from robotr1.report.style.text import listed, p_text, points

MEASURES = {
    "agrees": "the letter is the option nearest to what they say",
    "names": "they name the object asked about",
    "close": "the written position is near the true one",
}
REINFORCED = "the base after reinforcement learning on letter and format"
MEANINGS = {
    "random": "a random letter, the floor",
    "majority": "the letter that was right most often in training, by question type",
    "text_only": "the best blind guess, fitted to the text of training questions, without images",
    "base": "the vision-language policy before any training in this study",
    "sft-direct": "the base after imitating true positions",
    "sft-cot": "the base after imitating written thoughts that end in true positions",
    "sft-cold_start": "the base after imitating thoughts and letters, a start for reinforcement learning",
    "sft-planning": "the base after imitating plans",
    "oracle": "knows the truth, the ceiling",
    OPEN_FORM: "asked an open question, as it was trained; the option nearest to the position that it writes is taken",
    BLANK: "the same policy with a grey image instead of the camera's",
}
LIMITS = [
    "The embedded base is a small model. It was trained to see and to write the answer form, and not to know each "
    "task's next waypoint. Reinforcement learning teaches whatever earns the letter. The table of written positions "
    "shows how much of that is the task's rule, and how much the shortcut of staying near the gripper. The size of the "
    "gain says nothing about a model of 7 billion parameters.",
    "Demonstrations come from a small simulated tabletop by default, not from RLBench in CoppeliaSim.",
    "The paper's numbers are a judge's scores of free text, or successes in other benchmarks. They are printed for the "
    "reader and are not comparable with ours.",
    "Wilson's intervals over questions and McNemar's test treat the frames of one episode as independent, which is "
    "only nearly true. Differences have intervals over whole episodes, and so has every accuracy in the tables' CSV.",
    "One training run is one sample: another seed draws other questions in another order and ends elsewhere.",
]


def what_was_run(results: Results) -> str:
    """What was trained, and how many questions, episodes and tasks the policies were tested on."""
    policy = results.headline_policy
    said = "Robot-R1 (arXiv 2506.00070), reproduced: a vision-language policy says where a robot arm goes next. "
    if policy is not None:
        training = results.study.training
        steps = f"{len(training[policy])} steps, " if policy in training else ""
        algorithm = policy.partition("-")[0]
        seeds = [name for name in results.policies if is_reinforced(name) and name.startswith(f"{algorithm}-")]
        which = "one seed" if len(seeds) == 1 else f"the first of {len(seeds)} seeds"
        said += f"It was trained by {label(policy)} ({steps}{which}). "
    tested = [_test_set(results, split) for split in results.test_splits]
    return said + f"{len(results.policies)} policies and controls answered {listed(tested)}."


def _test_set(results: Results, split: str) -> str:
    row = find_row(results.accuracy, split=split, type="all")
    tasks = len({q.task for q in results.study.questions.values() if q.split == split})
    meaning = {"test_in": " that it was trained on", "test_out": " that no policy was trained on"}.get(split, "")
    return f"{row['questions']} questions from {row['episodes']} new episodes of {tasks} tasks{meaning}"


def findings(results: Results) -> list[str]:
    """One sentence for each further result that this run has numbers for."""
    policy = results.headline_policy
    said = [
        _gains_by_type(results, policy),
        _held_out_tasks(results, policy),
        _without_image(results, policy),
        _against_text_only(results, policy),
        _thoughts(results, policy),
    ]
    return [sentence for sentence in said if sentence]


def _gains_by_type(results: Results, policy: str | None) -> str:
    kinds = [kind for kind in TYPES if kind != "all"]
    rows = {kind: _comparison(results, policy, "base", "test_in", kind) for kind in kinds}
    told = [f"{_span(row)} points for {kind} questions" for kind, row in rows.items() if row is not None]
    return f"The gain by type is {listed(told)}." if told else ""


def _held_out_tasks(results: Results, policy: str | None) -> str:
    row = _comparison(results, policy, "base", "test_out")
    if row is None:
        return ""
    after, before = (_right(results, name, "test_out") for name in (policy, "base"))
    return (
        f"On tasks that no policy was trained on, {label(policy)} answers {after} right and its base {before}: "
        f"{_span(row)} points, {p_text(row['p_value'])}."
    )


def _without_image(results: Results, policy: str | None) -> str:
    row = _comparison(results, policy, f"{policy}{BLANK}", "test_in")
    if row is None:
        return ""
    return (
        f"With a grey image instead of the camera's, {label(policy)} answers "
        f"{_right(results, f'{policy}{BLANK}', 'test_in')} right, and a random guess {results.chance:.0%}: the image "
        f"is worth {_span(row)} points."
    )


def _against_text_only(results: Results, policy: str | None) -> str:
    row = _comparison(results, policy, "text_only", "test_in")
    if row is None:
        return ""
    blind = _right(results, "text_only", "test_in")
    return f"The best guess from the text alone is right in {blind}; {label(policy)} differs by {_span(row)} points."


def _thoughts(results: Results, policy: str | None) -> str:
    told = []
    for measure, words in MEASURES.items():
        before, after = (
            find_row(results.consistency, policy=name, split="test_in", type="all", measure=measure)
            for name in ("base", policy)
        )
        if before is not None and after is not None and min(before["questions"], after["questions"]):
            told.append(f"{words} in {_share(after)} of the answers (base: {_share(before)})")
    return f"Of the words before the letter: {'; '.join(told)}." if told else ""


def _comparison(results: Results, policy: str | None, baseline: str, split: str, kind: str = "all") -> pd.Series | None:
    return find_row(results.comparisons, policy=policy or "", baseline=baseline, split=split, type=kind)


def _span(row: pd.Series) -> str:
    return points(row["difference"], row["low"], row["high"])


def _share(row: pd.Series) -> str:
    return f"{row['share']:.0%} [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"


def _right(results: Results, policy: str, split: str) -> str:
    return f"{find_row(results.accuracy, policy=policy, split=split, type='all')['accuracy']:.1%}"


def who_answered(results: Results) -> list[tuple[str, str]]:
    """Name and meaning of this run's policies and controls, in the report's order."""
    found: dict[str, str] = {}
    for policy in (parse_name(name).policy for name in results.policies):
        meaning = REINFORCED if is_reinforced(policy) else MEANINGS.get(policy, "")
        if meaning:
            found.setdefault(label(policy), meaning)
    for ending, name in ((OPEN_FORM, "…, open form"), (BLANK, "…, blank image")):
        if any(policy.endswith(ending) for policy in results.policies):
            found[name] = MEANINGS[ending]
    return list(found.items())


def limits(results: Results) -> list[str]:
    """What a reader must not conclude."""
    first = []
    if results.headline_policy is None:
        first.append("No policy was trained by reinforcement learning in this run.")
    few = results.accuracy.query("type == 'all'")["episodes"].min() if len(results.accuracy) else 0
    if few < 10:
        first.append(f"A split of this run has only {few} episode(s): its numbers show that the study runs, no more.")
    return [*first, *LIMITS]
