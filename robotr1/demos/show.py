"""Show demonstrations as film strips: frames in a row, numbered waypoints, RLBench above the tabletop."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from robotr1.demos.episode import Episode

NEAR = 0.08  # share of the image's width; waypoints closer than this share a mark


def film_strip(titles: Sequence[str], images: Sequence[np.ndarray], axes: Sequence[Axes] | None = None) -> None:
    """Show images side by side with their titles, in `axes` (the rest stay empty) or in a new figure."""
    if axes is None:
        _, axes = plt.subplots(1, len(images), figsize=(1.6 * len(images), 1.95), dpi=90, layout="constrained")
    for ax, title, image in zip(axes, titles, images, strict=False):
        ax.imshow(image)
        ax.set_title(title, fontsize=10)
    for ax in axes:
        ax.axis("off")


def waypoint_strips(films: Sequence[tuple[Episode, Sequence[int]]], columns: int = 7) -> Figure:
    """Show the start and all keyframes of each demonstration; long ones continue in a second row.

    The first image shows the gripper's path with numbered waypoints; in each later one a ring marks the next waypoint.
    """
    heights = [-(-(1 + len(keyframes)) // columns) for _, keyframes in films]
    figure, grid = plt.subplots(
        sum(heights), columns, figsize=(9.6, 1.62 * sum(heights)), dpi=90, squeeze=False, gridspec_kw={"hspace": 0.2}
    )
    figure.subplots_adjust(left=0, right=1, top=0.97, bottom=0, wspace=0.03)
    tops = np.cumsum([0, *heights])
    for (episode, keyframes), top, height in zip(films, tops, heights, strict=False):
        axes, shown = grid[top : top + height].ravel(), [0, *keyframes]
        film_strip([""] * len(shown), [episode.image(_drawn(episode, frame)) for frame in shown], axes)
        axes[0].set_title(f"{episode.task}: “{episode.instructions[0]}”", fontsize=10, loc="left")
        number_waypoints(axes[0], episode, keyframes)
        for number, (ax, after) in enumerate(zip(axes[1:], [*keyframes[1:], None], strict=False), start=1):
            ax.text(0.06, 0.9, number, color="white", weight="bold", fontsize=9, va="center", transform=ax.transAxes)
            if after is not None:
                ring_around(ax, episode, after)
    return figure


def number_waypoints(ax: Axes, episode: Episode, keyframes: Sequence[int]) -> None:
    """Draw the path of the gripper's tip in white and its waypoints in red; waypoints that overlap share a mark."""
    ax.plot(*episode.project(episode.gripper_pose[:, :3]).T, color="white", lw=0.8, scalex=False, scaley=False)
    near = NEAR * episode.image(episode.frames[0]).shape[1]
    marks: list[tuple[np.ndarray, list[int]]] = []
    for number, point in enumerate(episode.project(episode.gripper_pose[list(keyframes), :3]), start=1):
        here = next((numbers for place, numbers in marks if np.linalg.norm(place - point) < near), None)
        here.append(number) if here else marks.append((point, [number]))
    box = {"boxstyle": "round,pad=0.2", "fc": "tab:red", "ec": "none"}
    text = {"color": "white", "fontsize": 6, "weight": "bold", "ha": "center", "va": "center", "clip_on": True}
    for (u, v), numbers in marks:
        ax.text(u, v, ",".join(map(str, numbers)), bbox=box, **text)


def ring_around(ax: Axes, episode: Episode, frame: int) -> None:
    """Draw a yellow ring at the tip's position in `frame`, at the image's edge if it is outside."""
    (u, v), size = episode.project(episode.gripper_pose[frame, :3])[0], episode.image(episode.frames[0]).shape[0]
    ax.plot(np.clip(u, 4, size - 4), np.clip(v, 4, size - 4), "o", ms=9, mfc="none", mec="yellow", mew=1.5)


def side_by_side(real: Episode, scene: Any, frames: Sequence[int]) -> Figure:
    """Show frames of a recording above the same poses in `scene`; a cross marks the recorded tip."""
    figure, grid = plt.subplots(2, len(frames), figsize=(9.6, 3.0), dpi=90, squeeze=False, layout="constrained")
    for column, frame in zip(grid.T, frames, strict=True):
        scene.set_arm(real.joint_positions[frame])
        scene.set_gripper(real.gripper_open[frame])
        first = frame == frames[0]
        titles = [f"RLBench, frame {frame}" if first else f"frame {frame}", "tabletop" if first else ""]
        film_strip(titles, [real.image(_drawn(real, frame)), scene.render()], column)
        for ax in column:
            u, v = real.project(real.gripper_pose[frame, :3])[0]
            ax.plot(u, v, "+", color="yellow", ms=9, scalex=False, scaley=False)
    return figure


def _drawn(episode: Episode, frame: int) -> int:
    """Return the nearest frame that has an image."""
    return min(episode.frames, key=lambda known: abs(known - frame))
