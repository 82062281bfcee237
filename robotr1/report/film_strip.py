"""Film strips of the closed loop: what the policy saw at each step, what it answered, and how the episode ended."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from robotr1.evaluation.closed_loop.results import Step, Trace
from robotr1.questions.prompts import format_state
from robotr1.report.style.names import label

SIZE = 1.6  # inches of one picture
COLUMNS = 4  # pictures side by side; longer episodes continue below
RIGHT, WRONG = "#0072B2", "#D55E00"


def success_and_failure(traces: Sequence[Trace]) -> list[Trace]:
    """The first success and the first failure with images, as far as there are any."""
    seen = [trace for trace in traces if trace.last_image is not None]
    first = {trace.success: trace for trace in reversed(seen)}
    return [first[success] for success in (True, False) if success in first]


def film_strip(traces: Sequence[Trace]) -> Figure | None:
    """Draw each trace with images: its steps from left to right, then the end. None if no trace has images.

    The title of a picture is the step's answer, blue if it is near the script's waypoint and orange if not.
    """
    rows = [trace for trace in traces if trace.last_image is not None]
    if not rows:
        return None
    heights = [-(-(len(trace.steps) + 1) // COLUMNS) for trace in rows]
    figure = plt.figure(figsize=(SIZE * COLUMNS, (SIZE + 0.5) * sum(heights) + 0.2 * len(rows)), layout="constrained")
    strips = figure.subfigures(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
    for strip, trace, height in zip(strips, rows, heights):
        strip.suptitle(f"{label(trace.policy)}: {trace.instruction}", fontsize=8, x=0.01, ha="left")
        axes = list(strip.subplots(height, COLUMNS, squeeze=False).flat)
        for axis in axes:
            axis.axis("off")
        for axis, step in zip(axes, trace.steps):
            axis.imshow(step.image)
            axis.set_title(_words(step), fontsize=7, color=RIGHT if step.right else WRONG)
        end = axes[len(trace.steps)]
        end.imshow(trace.last_image)
        end.set_title("done" if trace.success else trace.reason, fontsize=7, color=RIGHT if trace.success else WRONG)
    return figure


def _words(step: Step) -> str:
    if step.answer is None:
        return "no answer\nto be read"
    said = format_state(step.answer[:3], 2)
    wanted = "as the script" if step.right else f"script {format_state(step.target[:3], 2)}"
    return f"{said}\n{wanted}" + ("" if step.outcome == "moved" else f"\n{step.outcome}")
