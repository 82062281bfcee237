"""Page of the ablation in Markdown: accuracies, paired differences, the paper's directions, and the thoughts."""

from collections.abc import Mapping, Sequence

import numpy as np

from robotr1.ablation.compare import ALL, OTHER_OPTIONS, SPLITS, Comparison, Difference, deviation
from robotr1.ablation.paper import agreement, in_paper


def page(
    rows: Mapping[str, Mapping[str, list[float]]],
    made: Sequence[tuple[Comparison, dict[str, Difference]]],
    spoken: Mapping[str, Mapping[str, list[float]]],
    blind: Mapping[str, float],
) -> str:
    """Write the report as Markdown. `blind` is the best blind guess at the other options, by split."""
    lines = [
        "# What makes the difference",
        "",
        "Accuracy in percent: mean ± standard deviation over the training seeds. *New episodes* are of the training",
        "tasks, *new tasks* were never trained on. *Open form*: no options, as in training; the option nearest to the",
        "written position counts, and there are no movement questions. *Other options*: waypoint questions only, whose",
        "wrong options are places that the gripper visits in the same episode. Compare such rows with their like only.",
        *([f"Without the image, the best guess at them is right in {told}."] if (told := percentages(blind)) else []),
        "",
        "| run | seeds | " + " | ".join(SPLITS.values()) + " |",
        "| --- | --- |" + " --- |" * len(SPLITS),
    ]
    for name, row in rows.items():
        cells = [_with_spread(row[split]) if split in row else "" for split in SPLITS]
        lines.append(f"| {name} | {max(map(len, row.values()))} | " + " | ".join(cells) + " |")
    lines += ["", "![accuracy](accuracy.png)", "", "## Paired comparisons", ""]
    lines += [
        "Differences in percentage points on the questions that both answered, with the 95 % interval over episodes; p",
        "is McNemar's exact test for each seed alone. *Better* and *worse* are said only where the interval leaves out",
        "zero and all seeds agree. Comparisons in the open form are on waypoint and state questions.",
    ]
    question = ""
    for one, found in made:
        if one.question != question:
            question = one.question
            lines += ["", f"### {question}", "", "| compared | on | difference | p by seed | |", "|" + " --- |" * 5]
        for split, d in found.items():
            p = ", ".join(f"{value:.2g}" for value in d.p_values)
            change = f"{100 * d.mean:+.1f} {_spread(d.by_seed)} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
            types = "" if len(one.types) == len(ALL) else f" ({', '.join(one.types)})"
            lines.append(f"| {one.name}{types} | {SPLITS[split]} | {change} | {p} | {d.verdict} |")
    lines += _beside_the_paper(made)
    lines += ["", "## What the thoughts speak of", ""]
    lines += [
        "New episodes, percent of the completions where it can be measured, if these are half of all at least.",
        "*Agrees*: the letter is the option that the thought speaks for. *Gripper*: the place written about the next",
        "waypoint lies nearer to the gripper than to that waypoint.",
        "",
        "| run | agrees | gripper |",
        "| --- | --- | --- |",
    ]
    for name, row in spoken.items():
        lines.append(
            f"| {name} | " + " | ".join(_with_spread(row.get(key, [])) for key in ("agrees", "gripper")) + " |"
        )
    return "\n".join(lines) + "\n"


def _beside_the_paper(made: Sequence[tuple[Comparison, dict[str, Difference]]]) -> list[str]:
    """The section that compares directions with the paper's tables; no lines where the paper has no such comparison."""
    rows = []
    for one, found in made:
        told = in_paper(one.run, one.other)
        if told is not None and one.other_form != OTHER_OPTIONS:
            verdicts = [d.verdict for d in found.values()]
            here = "; ".join(f"{d.verdict} ({SPLITS[split]})" for split, d in found.items())
            rows.append(f"| {one.name} | {told[0]:+.2f}, {told[1]} | {here} | {agreement(told[0], verdicts)} |")
    if not rows:
        return []
    return [
        "",
        "## Beside the paper",
        "",
        "The paper's side is the mean difference of its judge's scores (0 to 3) on its own bench, from one run each",
        "with a 7B model; ours is multiple choice with a tiny one. So only directions can be compared. *Agrees*: one",
        "split at least shows the paper's direction and none the other.",
        "",
        "| compared | the paper | here | |",
        "|" + " --- |" * 4,
        *rows,
    ]


def percentages(blind: Mapping[str, float]) -> str:
    return ", ".join(f"{100 * share:.1f} % ({SPLITS[split]})" for split, share in blind.items())


def _with_spread(seeds: Sequence[float]) -> str:
    return f"{100 * np.mean(seeds):.1f} {_spread(seeds)}".strip() if seeds else "–"


def _spread(values: Sequence[float]) -> str:
    return f"± {100 * deviation(values):.1f}" if len(values) > 1 else ""
