"""What the report says of the benchmarks beside multiple choice, a list of sentences for each."""

from typing import Any

from robotr1.evaluation.open_questions.results import PEOPLE
from robotr1.evaluation.spatialrgpt import controls as spatial_controls
from robotr1.policies.names import CONTROLS
from robotr1.report.names import label, ordered, points
from robotr1.report.results import Results, p_text

JUDGES = {"reference": "this judge", "words": "one that only counts common words", PEOPLE: "people"}


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
        f"Tasks done: {'; '.join(told)}.",
    ]
    for row in results.acting_comparisons.itertuples():
        if row.baseline == "base":
            clear = row.low > 0 or row.high < 0
            sentences.append(
                f"{label(row.policy)} against its base: {points(row.difference, row.low, row.high)} points "
                f"({p_text(row.p_holm)} after Holm's correction)"
                + ("." if clear else f", which is no difference that {row.episodes} episodes could show.")
            )
    return sentences


def about_reasoning(results: Results) -> list[str]:
    """What the bench of open questions is, and what came of it; nothing where it was not asked."""
    table = results.reasoning.query("distribution == 'all'")
    if not len(table):
        return []
    items = table[table["policy"] == table["policy"].iloc[0]]["items"].sum()
    asked = table[~table["policy"].isin(CONTROLS)]
    judge = table["judge"].iloc[0]
    who = f"the language model {judge}"
    if judge == "reference":
        who = "a deterministic judge, which reads phrases and not meaning and so is stricter than a language model,"
    sentences = [
        f"{items} questions in free text, built after the paper's bench, which was not released. Here {who} compares "
        "each answer with a reference from the simulator's true state, 0 to 3. The oracle writes the references "
        "themselves; the random guess writes another question's reference, the majority always the most frequent one, "
        "and text only the one most frequent among other images of the same task.",
    ]
    silent = len(asked) and (asked["no_answer"] >= 0.9 * asked["items"]).all()
    if silent:
        sentences.append(
            "The policies of this run score about 0, before and after training, because they give no answer that could "
            "be judged: they learned the form and the few words of the study's own questions, and no language "
            "beyond. A zero in this table says nothing about what they see."
        )
    for row in results.agreement.query("group == 'all' and answers > 0").itertuples():
        sentences.append(_agreed(row) + (" Nearly all of them are guesses of the controls." if silent else ""))
    return sentences


def about_spatial(results: Results) -> list[str]:
    """What SpatialRGPT-Bench asks, and what came of it here; nothing where it was not asked."""
    if not len(results.spatial):
        return []
    averages = results.spatial[results.spatial["column"].isin(["quantitative", "qualitative"])]
    policies = averages[~averages["policy"].isin(spatial_controls.CONTROLS)]
    items = averages[averages["policy"] == "oracle"]["questions"].sum()
    sentences = [
        f"{items} questions in the form of SpatialRGPT-Bench about regions marked in our own scenes: lengths, which "
        "are right within 25 percent, clock directions, which are right within one hour, and relations. Rules read the "
        "answers, where the benchmark lets a language model do it. They are not the published questions.",
    ]
    if len(policies) and (policies["unreadable"] >= 0.9 * policies["questions"]).all():
        sentences.append(
            "Nothing could be read from nearly all answers of this run's policies: no such question was in their "
            "training, and their language ends there. The oracle and the two guesses show what the table can measure."
        )
    return sentences


def about_embodied(results: Results) -> list[str]:
    """What EmbodiedBench's manipulation protocol is, and what the table holds; nothing where nobody played."""
    if not len(results.embodied):
        return []
    sentences = [
        "EmbodiedBench's manipulation protocol on the tabletop: the objects' coordinates in, seven-number actions of "
        "1 cm and 3 degrees out, at most 15 of them, and success only. Scenes are chosen so that the expert's "
        "waypoints can be done as such actions, so the oracle must do all; random actions must do next to none. The "
        "subsets tell the same scenes in other words, which random actions do not read, so they were played in one.",
    ]
    if set(results.embodied["policy"]) <= {"oracle", "random"}:
        sentences.append(
            "No policy of this run played: none was shown such plans. `python -m robotr1.evaluation.eb_manipulation --policy` "
            "with a policy's name lets one play."
        )
    return sentences


def _agreed(row: Any) -> str:
    one, other = (JUDGES.get(name, f"the judge {name}") for name in (row.judge, row.other))
    low, high = row.pearson_low, row.pearson_high
    return (
        f"On {row.answers} answers {one} and {other} give the same score in {row.same:.0%}; Pearson's r "
        f"is {row.pearson:.2f} [{low:.2f}, {high:.2f}] and Cohen's kappa {row.kappa:.2f} "
        f"[{row.kappa_low:.2f}, {row.kappa_high:.2f}]."
    )
