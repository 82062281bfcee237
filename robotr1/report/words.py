"""The report's sentences: what was run, what was found, what each figure shows, where the limits are."""

import pandas as pd

from robotr1.evaluation.mcqa import BLANK
from robotr1.evaluation.reasoning import CONTROLS
from robotr1.report.names import label, ordered
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
        f"{len(results.policies)} policies and controls answered {_listed(parts)}. "
        f"Trained in this run: {_listed(trained)}. No frame of a training episode is in any of these splits."
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
                sentences.append(_difference(f"On {words}, {label(policy)} against {meaning}", row))
    for row in results.consistency_change.query("split == 'test_in' and policy == @policy").itertuples():
        after = find_row(results.consistency, policy=policy, split="test_in", type="all", measure=row.measure)
        before = find_row(results.consistency, policy="base", split="test_in", type="all", measure=row.measure)
        sentences.append(
            f"{_MEASURES[row.measure]}: {before['share']:.0%} before and {after['share']:.0%} after training."
        )
    return sentences


def about_acting(results: Results) -> list[str]:
    """What the closed loop is, and what came of it; nothing where nobody acted."""
    table = results.acting.query("task == 'all'")
    if not len(table):
        return []
    told = [
        f"{label(row.policy)} {row.success:.0%} [{row.low:.0%}, {row.high:.0%}]"
        for name in ordered(table["policy"])
        for row in table[table["policy"] == name].itertuples()
    ]
    sentences = [
        "Here answers are executed: at each step of the task's script the policy is asked for the next waypoint, the "
        "arm goes to the option that it chooses, and it is asked again with the new picture. A success is the task "
        "done, as the simulator checks it. The script gives rotation and gripper, and the right place is always among "
        "the options, so this is easier than acting alone.",
        f"Tasks done: {_listed(told)}.",
    ]
    for row in results.acting_comparisons.itertuples():
        if row.baseline == "base":
            change = f"{label(row.policy)} against its base"
            sentences.append(
                f"{_difference(change, pd.Series(row._asdict()))} With Holm's correction {p_text(row.p_holm)}."
            )
    return sentences


def about_reasoning(results: Results) -> list[str]:
    """What the bench of open questions is, and what came of it; nothing where it was not asked."""
    table = results.reasoning.query("distribution == 'all'")
    if not len(table):
        return []
    items = table[table["policy"] == table["policy"].iloc[0]]["items"].sum()
    asked = table[~table["policy"].isin(CONTROLS)]
    sentences = [
        f"{items} questions in free text, built after the paper's bench, which was not released. Here a deterministic "
        "judge compares each answer with a reference from the simulator's true state, 0 to 3. It reads phrases and not "
        "meaning, so it is stricter than a language model. The oracle writes the references themselves; the random "
        "guess writes another question's reference, and one control always the most frequent reference.",
    ]
    if len(asked) and (asked["no_answer"] >= 0.9 * asked["items"]).all():
        sentences.append(
            "The policies of this run score about 0, before and after training, because they give no answer that could "
            "be judged: they learned the form and the few words of the study's own questions, and no language "
            "beyond. A zero in this table says nothing about what they see."
        )
    return sentences


def limits(results: Results) -> list[str]:
    """What a reader must not conclude."""
    sentences = [
        "The embedded base is a small model that was taught to see and to speak the answer form, and kept "
        "ignorant of where each task's next waypoint lies. The study shows that reinforcement learning teaches "
        "that rule; it says nothing about the size of the gain for a 7-billion-parameter model.",
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


def _difference(opening: str, row: pd.Series) -> str:
    points, low, high = (100 * row[name] for name in ("difference", "low", "high"))
    return f"{opening}: {points:+.1f} points [{low:+.1f}, {high:+.1f}], {p_text(row['p_value'])}."


def _by_size(table: pd.DataFrame) -> list:
    return list(table.sort_values("split").itertuples())


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
