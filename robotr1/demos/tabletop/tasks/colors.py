"""RLBench's twenty colours as RGB within 0..1, in the order of its variations (rlbench/const.py)."""

import numpy as np

from robotr1.linear import norm

COLORS = {
    "red": (1.0, 0.0, 0.0),
    "maroon": (0.5, 0.0, 0.0),
    "lime": (0.0, 1.0, 0.0),
    "green": (0.0, 0.5, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "navy": (0.0, 0.0, 0.5),
    "yellow": (1.0, 1.0, 0.0),
    "cyan": (0.0, 1.0, 1.0),
    "magenta": (1.0, 0.0, 1.0),
    "silver": (0.75, 0.75, 0.75),
    "gray": (0.5, 0.5, 0.5),
    "orange": (1.0, 0.5, 0.0),
    "olive": (0.5, 0.5, 0.0),
    "purple": (0.5, 0.0, 0.5),
    "teal": (0.0, 0.5, 0.5),
    "azure": (0.0, 0.5, 1.0),
    "violet": (0.5, 0.0, 1.0),
    "rose": (1.0, 0.0, 0.5),
    "black": (0.0, 0.0, 0.0),
    "white": (1.0, 1.0, 1.0),
}
NAMES = tuple(COLORS)


def paint(name: str) -> np.ndarray:
    """Return the colour as RGBA [4], away from black, white and full saturation so that shading shows."""
    return np.append(0.05 + 0.85 * np.array(COLORS[name]), 1.0)


def unlike(name: str, distance: float = 0.75) -> list[str]:
    """List the colours that differ clearly from `name`: farther than `distance` from it in RGB."""
    here = np.array(COLORS[name])
    return [other for other, rgb in COLORS.items() if norm(here - rgb) > distance]
