"""The wordings of an instruction, one for each subset, and the facts about a scene that they refer to.

All five wordings refer to the same placements, so that a difference between subsets comes from words alone.
(EmbodiedBench has separate episodes for each subset, and no wiping in "visual".)
"""

import numpy as np

from robotr1.demos.poses import matrix
from robotr1.demos.tabletop.scene import TabletopScene
from robotr1.demos.tabletop.tasks import colors
from robotr1.demos.tabletop.tasks.place_shape_in_shape_sorter import BOX, HEIGHT, NAMES, SHAPES
from robotr1.demos.tabletop.tasks.stack_blocks import BLOCKS, HEIGHTS
from robotr1.evaluation.eb_manipulation.wiping import DIRECTIONS

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
COLOR_OF = {  # objects whose colour is common knowledge
    "red": "a ripe tomato",
    "green": "a fir tree",
    "yellow": "a lemon",
    "orange": "a carrot",
    "black": "coal",
    "white": "fresh snow",
}
LOOKS_LIKE = {"cube": "a die", "cylinder": "a tin can", "triangular prism": "a tent"}  # no star and moon, see scenes.py
SHAPE_COLORS = {"cube": "red", "cylinder": "blue", "triangular prism": "green"}
RUNS_LIKE = {"horizontal": "the boards of a bookshelf", "vertical": "a flagpole"}
WORDINGS = {
    "pick_up_cup": {
        "base": "pick up the {color} cup",
        "common_sense": "pick up the cup that has the color of {known}",
        "complex": "guests are coming and the table is not laid yet; I see to the plates, and you begin with the "
        "{color} cup: pick it up so that I can wipe below it, and leave the other one where it is",
        "spatial": "pick up the {first} cup, counted from the left",
        "visual": "pick up the cup that is not {other}",
    },
    "stack_blocks": {
        "base": "build a tower of two {color} blocks on the platform",
        "common_sense": "build a tower on the platform from the two blocks that have the color of {known}",
        "complex": "the children have left all their blocks on the table, and most may stay there for now; only the "
        "two {color} ones should be tidied away, onto the platform, and as it is small, one on the other",
        "spatial": "build a tower on the platform from the {first} and the {second} block, counted from the left",
        "visual": "build a tower on the platform from the two blocks whose color fewer of the blocks have",
    },
    "place_shape_in_shape_sorter": {
        "base": "put the {shape} into its hole in the shape sorter",
        "common_sense": "put the shape that looks like {known} into its hole in the shape sorter",
        "complex": "my daughter sorts her toys before she goes to bed, and today she needs a little help; the {shape} "
        "is the one that she cannot manage, so put it into its hole in the shape sorter and let the others lie",
        "spatial": "put the {first} shape, counted from the left, into its hole in the shape sorter",
        "visual": "put the {color} shape into its hole in the shape sorter",
    },
    "wipe_table": {
        "base": "wipe the {direction} area",
        "common_sense": "wipe the area that runs like {known}",
        "complex": "breakfast is over and there are crumbs in two places; one of them I have just sprayed, and it has "
        "to soak for a while, but you can take the sponge and wipe the {direction} area meanwhile",
        "spatial": "wipe the {first} area, counted from the left",
        "visual": "wipe the {color} area",
    },
}


def instruction(scene: TabletopScene, subset: str) -> str:
    """The instruction in the wording of a subset. It refers to the objects' current positions."""
    return WORDINGS[scene.task.name][subset].format(**_facts(scene))


def objects_of(scene: TabletopScene) -> list[tuple[str, np.ndarray]]:
    """(name, centre [3] in metres) of the objects on the table, of the sorter its holes, from left to right.

    The names are for examples and instructions; the prompt's own scene never names an object.
    """
    return sorted(_objects(scene), key=lambda named: named[1][1])


def _objects(scene: TabletopScene) -> list[tuple[str, np.ndarray]]:

    def centre(body: str, offset=(0, 0, 0)) -> np.ndarray:
        pose = scene.body_pose(body)
        return pose[:3] + matrix(pose[3:]) @ np.array(offset, float)

    if scene.task.name == "pick_up_cup":
        return [(f"{_color(scene, f'{cup}_bowl')} cup", centre(cup)) for cup in ("cup", "other_cup")]
    if scene.task.name == "stack_blocks":
        blocks = [f"block{number}" for number in range(BLOCKS)]
        named = [(f"{_color(scene, f'{block}_face0')} block", centre(block)) for block in blocks]
        return [*named, ("green platform", centre("platform", (0, 0, 0.006)))]
    if scene.task.name == "wipe_table":
        areas = [(f"{_color(scene, f'{way}_area')} {way} area", centre(way)) for way in DIRECTIONS]
        return [*areas, ("yellow sponge", centre("sponge"))]
    shapes = [(shape, centre(shape, (0, 0, HEIGHT / 2))) for shape in SHAPES]
    return shapes + [(f"hole for the {shape}", centre("sorter", (*SHAPES[shape][3], BOX[2]))) for shape in SHAPES]


def _facts(scene: TabletopScene) -> dict[str, str]:
    """The values of the placeholders in WORDINGS."""
    names = [name for name, _ in objects_of(scene)]
    if scene.task.name == "place_shape_in_shape_sorter":
        shape = NAMES[scene.variation]
        place = [name for name in names if name in SHAPES].index(shape)
        facts = {"shape": shape, "known": LOOKS_LIKE[shape], "color": SHAPE_COLORS[shape]}
        return facts | {"first": ORDINALS[place]}
    if scene.task.name == "wipe_table":
        areas = [name.split() for name in names if name.endswith("area")]
        facts = {"direction": scene.task.target, "known": RUNS_LIKE[scene.task.target]}
        place = [direction for _, direction, _ in areas].index(scene.task.target)
        return facts | {"color": areas[place][0], "first": ORDINALS[place]}
    color = colors.NAMES[scene.variation // (len(HEIGHTS) if scene.task.name == "stack_blocks" else 1)]
    alike = [name for name in names if not name.endswith("platform")]
    places = [ORDINALS[place] for place, name in enumerate(alike) if name.startswith(f"{color} ")]
    other = next(name.rsplit(" ", 1)[0] for name in alike if not name.startswith(f"{color} "))
    facts = {"color": color, "known": COLOR_OF[color], "other": other}
    return facts | dict(zip(("first", "second"), places))


def _color(scene: TabletopScene, geom: str) -> str:
    rgba = scene.model.geom(geom).rgba
    return min(colors.NAMES, key=lambda name: np.abs(colors.paint(name) - rgba).max())
