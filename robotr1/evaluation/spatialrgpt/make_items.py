"""Make items in SpatialRGPT-Bench's form about the tabletop's own scenes.

A region is one object of the task. Its box bounds its visible pixels, and its measures come from the simulator: width
along the image's horizontal (the world's y), height along z, both of the whole object. `open_questions.make_items`
draws the frames and writes the file.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from robotr1.demos.tabletop.engine import mujoco
from robotr1.demos.tabletop.shapes import HIDDEN
from robotr1.evaluation.items.frames import SIZE
from robotr1.evaluation.spatialrgpt.items import COLUMNS, column_of

if TYPE_CHECKING:
    from robotr1.demos.tabletop.scene import TabletopScene

LEAST_PIXELS = 60  # objects with fewer visible pixels are no regions
CLEAR = 0.03  # metres: regions that differ by less get no question about their relation
TIMES = 1.3  # big, tall and wide need this ratio
WORDS = {  # the category's word: (the measure that is compared, whether the word means more of it)
    "left": ("y", False),
    "right": ("y", True),
    "behind": ("x", False),
    "front": ("x", True),
    "below": ("z", False),
    "above": ("z", True),
    "big": ("volume", True),
    "small": ("volume", False),
    "tall": ("height", True),
    "short": ("height", False),
    "wide": ("width", True),
    "thin": ("width", False),
}
PHRASES = {
    "left": "to the left of",
    "right": "to the right of",
    "behind": "behind",
    "front": "in front of",
    "below": "below",
    "above": "above",
    "big": "bigger than",
    "small": "smaller than",
    "tall": "taller than",
    "short": "shorter than",
    "wide": "wider than",
    "thin": "thinner than",
}


@dataclass(frozen=True)
class Region:
    """One object in an image: its visible box in pixels and the corners [3] of its true extent in metres."""

    box: tuple[int, int, int, int]
    low: np.ndarray
    high: np.ndarray

    @property
    def middle(self) -> np.ndarray:
        return (self.low + self.high) / 2

    def measure(self, name: str) -> float:
        """x, y or z of the middle, width, height or volume."""
        size = self.high - self.low
        sizes = {"width": size[1], "height": size[2], "volume": float(np.prod(size))}
        return float(sizes[name] if name in sizes else self.middle["xyz".index(name)])


def regions_of(scene: "TabletopScene") -> list[Region]:
    """The task's objects in the scene's front image, from left to right."""
    model, data = scene.model, scene.data
    robot = model.body_rootid[model.site("tip").bodyid[0]]
    shown = scene.mask("front")
    root_of = np.append(-1, model.body_rootid[model.geom_bodyid])[shown]
    found = []
    for root in sorted(set(root_of.ravel().tolist()) - {-1, 0, int(robot)}):
        rows, columns = np.nonzero(root_of == root)
        if len(rows) < LEAST_PIXELS:
            continue
        geoms = [geom for geom in range(model.ngeom) if model.body_rootid[model.geom_bodyid[geom]] == root]
        corners = [_extent(model, data, geom) for geom in geoms if model.geom_group[geom] != HIDDEN]
        low = np.min([corner[0] for corner in corners], axis=0)
        high = np.max([corner[1] for corner in corners], axis=0)
        box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        found.append(Region(box, low, high))
    return sorted(found, key=lambda region: region.box)


def questions(regions: Sequence[Region]) -> Iterator[tuple[str, str, str, tuple[Region, ...]]]:
    """Yield (category, question, reference, regions in the order of their numbers) of every question on an image."""
    for one in regions:
        for name in ("width", "height"):
            text = f"The {name} of Region [0] is {_length(one.measure(name))}."
            yield f"{name}_data", f"What is the {name} of Region [0]?", text, (one,)
    for one, other in permutations(regions, 2):
        away, pair = other.middle - one.middle, (one, other)
        for category, kind, length in (
            ("distance_data", "", math.dist(one.middle, other.middle)),
            ("horizontal_distance_data", "horizontal ", math.hypot(away[0], away[1])),
            ("vertical_distance_data", "vertical ", abs(away[2])),
        ):
            if length > CLEAR:
                question = f"What is the {kind}distance between the middles of Region [0] and Region [1]?"
                yield category, question, f"It is {_length(length)}.", pair
        if math.hypot(away[0], away[1]) > CLEAR:
            hour = round(math.degrees(math.atan2(away[1], -away[0])) / 30) % 12 or 12
            question = "Seen from above, with 12 o'clock pointing away from the camera and 3 o'clock to the right: in "
            question += "which clock direction from Region [0] is Region [1]?"
            yield "direction", question, f"Region [1] is in the {hour} o'clock direction.", pair
        for word, (name, more) in WORDS.items():
            ours, theirs = one.measure(name), other.measure(name)
            apart = abs(ours - theirs) > CLEAR if name in "xyz" else max(ours, theirs) > TIMES * min(ours, theirs)
            if apart:
                true, phrase = (ours > theirs) == more, PHRASES[word]
                reference = f"{'Yes' if true else 'No'}, Region [0] is {'' if true else 'not '}{phrase} Region [1]."
                yield f"{word}_predicate", f"Is Region [0] {phrase} Region [1]?", reference, pair
                question = f"Which of Region [0] and Region [1] is {phrase} the other one?"
                yield f"{word}_choice", question, f"Region [{0 if true else 1}].", pair


def choose(questions_by_image: dict[str, list[tuple]], count: int, seed: int) -> list[dict[str, Any]]:
    """`count` questions of each sub-column in the published form, drawn evenly over all images."""
    by_column: dict[str, list[tuple]] = {column: [] for column in COLUMNS}
    for image, asked in questions_by_image.items():
        for question in asked:
            by_column[column_of(question[0])].append((image, question))
    chosen = []
    for n, (column, rows) in enumerate(by_column.items()):
        picked = np.random.default_rng([seed, n]).permutation(len(rows))[:count]
        for number, index in enumerate(sorted(picked.tolist())):
            chosen.append(published_form(f"{column}-{number}", *rows[index]))
    return chosen


def published_form(name: str, image: str, question: tuple[str, str, str, tuple[Region, ...]]) -> dict[str, Any]:
    """One question as an entry of SpatialRGPT-Bench's file."""
    category, text, reference, shown = question
    kind = "quantitative" if category.endswith("_data") or category == "direction" else "qualitative"
    return {
        "id": name,
        "image_info": {"file_path": image, "width": SIZE, "height": SIZE},
        "text_q": text,
        "qa_info": {"type": kind, "category": category},
        "conversations": [{"from": "human", "value": text}, {"from": "gpt", "value": reference}],
        "bbox": [list(region.box) for region in shown],
    }


def to_json(rows: list[dict[str, Any]]) -> str:
    """A JSON list with one entry a line."""
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


def _length(metres: float) -> str:
    return f"{100 * metres:.1f} centimeters"


def _extent(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> tuple[np.ndarray, np.ndarray]:
    """Low and high corner [3] of a geom in the world, exact for every kind of shape in the tasks."""
    place, turn, size = data.geom_xpos[geom], data.geom_xmat[geom].reshape(3, 3), model.geom_size[geom]
    kinds = mujoco.mjtGeom
    match model.geom_type[geom]:
        case kinds.mjGEOM_MESH:
            mesh = model.geom_dataid[geom]
            start, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
            points = model.mesh_vert[start : start + count] @ turn.T
            return place + points.min(axis=0), place + points.max(axis=0)
        case kinds.mjGEOM_BOX:
            half = np.abs(turn) @ size
        case kinds.mjGEOM_SPHERE:
            half = np.full(3, size[0])
        case kinds.mjGEOM_ELLIPSOID:
            half = np.sqrt(((turn * size) ** 2).sum(axis=1))
        case kinds.mjGEOM_CAPSULE:
            half = size[0] + size[1] * np.abs(turn[:, 2])
        case kinds.mjGEOM_CYLINDER:
            half = size[0] * np.sqrt(np.clip(1 - turn[:, 2] ** 2, 0, 1)) + size[1] * np.abs(turn[:, 2])
        case other:
            raise ValueError(f"no extent for geoms of type {other}")
    return place - half, place + half
