"""The report's sentences: what was run, what was found, what each figure shows, where the limits are."""

import pandas as pd

from robotr1.evaluation.mcqa import BLANK
from robotr1.report.names import label
from robotr1.report.results import Results, find_row, p_text

CAPTIONS = {
    "training_curves": {
        "title": "Reinforcement learning, step by step",
        "caption": "Dots are steps, lines the mean of the last ten. Look for a reward that rises because answers "
        "get right, not only because the form is kept, and for groups without spread: where all "
        "answers to a question get the same reward, that question teaches nothing. Accuracy here is of"
        " sampled answers to training questions.",
    },
    "finetuning_curves": {
        "title": "Supervised fine-tuning, step by step",
        "caption": "Loss and token accuracy on the examples to imitate; the two forms write different amounts of "
        "text, so their levels do not compare.",
    },
    "accuracy": {
        "title": "Accuracy by type of question",
        "caption": "Points with Wilson intervals over questions. Black bars show what a guesser reaches that "
        "reads the options and never sees the image; only what lies above them comes from seeing. "
        "Supervised policies are asked openly, as they were trained, and the option nearest to their "
        "position is taken.",
    },
    "gains": {
        "title": "Who beats whom on the same questions",
        "caption": "Differences in accuracy over all types, with bootstrap intervals that draw whole episodes. An"
        " interval that touches zero shows no difference.",
    },
    "blank_images": {
        "title": "Does the policy look at the image?",
        "caption": "The same policies answer the same questions with a grey image. A policy that looks falls "
        "toward the text-only line; one that had learned a shortcut would stay where it was.",
    },
    "attention": {
        "title": "Where attention lies while a position is written",
        "caption": "Brighter patches get more attention, mean over all layers and heads; the cross is where the "
        "written position lies in the picture. The two need not meet: each patch carries what others told it "
        "before, so attention shows where numbers were fetched and not what they are about. Whether the policy "
        "needs the image is what the blank images tell.",
    },
    "consistency": {
        "title": "Do the words fit the answer?",
        "caption": "Left: the chosen letter is the option nearest to the position (or movement) written in the "
        "reasoning. Middle: the thing named is the one asked about. Right: the written position is "
        "near the true one. Where the left share is far below one, the words are not the reason for "
        "the letter and should not be read as one.",
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
        "policy met the same placements.",
    },
    "film": {
        "title": "What was seen",
        "caption": "A success and a failure, each the first there was. Over each picture stands the place that the "
        "policy named when it saw it: blue where it lies near the script's waypoint, orange where not.",
    },
    "examples": {
        "title": "Examples",
        "caption": "Questions drawn at random, the true option marked, with what each policy wrote.",
    },
}


def what_was_run(results: Results) -> str:
    """Numbers of questions, episodes and policies, in one sentence."""
    total = results.accuracy.query("type == 'all'").drop_duplicates("split")
    parts = [f"{row.questions} questions from {row.episodes} episodes ({row.split})" for row in _by_size(total)]
    trained = [label(policy) for policy in results.training] or ["none"]
    return (
        f"{len(results.policies)} policies and controls answered {listed(parts)}. "
        f"Trained in this run: {listed(trained)}. No frame of a training episode is in any of these splits."
    )


def findings(results: Results) -> list[str]:
    """What else the numbers say, one sentence each; only what this run has numbers for."""
    policy, sentences = results.headline_policy, []
    for split, words in (("test_in", "the tasks trained on"), ("test_out", "the tasks never trained on")):
        for baseline, meaning in (
            ("text_only", "the text-only guesser"),
            (f"{policy}{BLANK}", "itself with blank images"),
            ("base", "its base"),
        ):
            if (split, baseline) == ("test_in", "base"):
                continue  # that is the headline
            row = find_row(results.comparisons, policy=policy, baseline=baseline, split=split, type="all")
            if row is not None:
                sentences.append(difference(f"On {words}, {label(policy)} against {meaning}", row))
    for row in results.consistency_change.query("split == 'test_in' and policy == @policy").itertuples():
        after = find_row(results.consistency, policy=policy, split="test_in", type="all", measure=row.measure)
        before = find_row(results.consistency, policy="base", split="test_in", type="all", measure=row.measure)
        sentences.append(
            f"{_MEASURES[row.measure]}: {before['share']:.0%} before and {after['share']:.0%} after training."
        )
    return sentences


def limits(results: Results) -> list[str]:
    """What a reader must not conclude."""
    sentences = [
        "The embedded base is a small model that was taught to see and to speak the answer form, and kept "
        "ignorant of where each task's next waypoint lies. Reinforcement learning teaches whatever earns the letter; "
        "how much of it is that rule and how much the short cut of staying near the gripper is in the table of "
        "written places. None of it tells the size of the gain for a 7-billion-parameter model.",
        "Demonstrations come from a small simulated tabletop by default, not from RLBench in CoppeliaSim.",
        "The published numbers below are scores of free text by a judge, or successes of other benchmarks. They "
        "are printed for the reader and never on one scale with ours.",
        "Intervals over questions treat frames of one episode as independent; the tables give intervals over "
        "whole episodes too. McNemar's test treats questions as independent.",
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
    "agrees": "The chosen letter fits the written position or movement",
    "names": "The reasoning names the thing that the question is about",
    "close": "The written position is near the true one",
}


def difference(opening: str, row: pd.Series) -> str:
    """A row of paired comparisons as a sentence, in points of percent."""
    points, low, high = (100 * row[name] for name in ("difference", "low", "high"))
    return f"{opening}: {points:+.1f} points [{low:+.1f}, {high:+.1f}], {p_text(row['p_value'])}."


def _by_size(table: pd.DataFrame) -> list:
    return list(table.sort_values("split").itertuples())


def listed(parts: list[str]) -> str:
    """ "a, b and c"."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
