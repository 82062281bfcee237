"""The scenes of the EB-Manipulation protocol, in the real simulator."""

import numpy as np
import pytest

from robotr1.demos.tabletop.tasks import OBJECTS
from robotr1.evaluation.eb_manipulation.actions import decode
from robotr1.evaluation.eb_manipulation.results import SUBSETS
from robotr1.evaluation.eb_manipulation.scenes import TASKS, embodied_scenes
from robotr1.evaluation.eb_manipulation.wordings import SHAPE_COLORS, WORDINGS

pytestmark = pytest.mark.usefixtures("simulator")


@pytest.fixture(scope="module", params=TASKS)
def scene(request):
    return next(embodied_scenes(request.param, 1, 3, 96))


def test_every_task_has_five_different_wordings(scene):
    assert set(WORDINGS) - set(OBJECTS) == {"wipe_table"}
    assert all(tuple(wordings) == SUBSETS for wordings in WORDINGS.values())
    sentences = [scene.instruction(subset) for subset in SUBSETS]
    assert len(set(sentences)) == len(SUBSETS) and not any("{" in sentence for sentence in sentences)


def test_objects_are_numbered_from_left_to_right_and_projected_into_the_image(scene):
    objects = scene.objects()
    across = [middle[1] for _, middle in objects]
    assert across == sorted(across)
    task = scene._scene.task
    for thing in task.positions(scene._scene):
        if task.name == "stack_blocks" and thing[2] < 0.77:  # the platform's surface
            continue
        assert min(np.linalg.norm(middle - thing) for _, middle in objects) < 1e-6
    pixels = scene.pixels()
    assert ((pixels > 0) & (pixels < 96)).all()
    assert pixels[np.argmax(across), 0] > pixels[np.argmin(across), 0]


def test_only_base_and_complex_name_color_or_shape(scene):
    base = scene.instruction("base")
    named = {"cube", "cylinder", "triangular", "horizontal", "vertical"} | _colors(base)
    secret = next(word for word in base.split() if word in named)
    assert secret in scene.instruction("complex")
    for subset in ("common_sense", "spatial", "visual"):
        assert secret not in scene.instruction(subset)


def test_spatial_and_visual_wordings_are_true_of_the_scene(scene):
    names = [name for name, _ in scene.objects()]
    base, spatial, visual = (scene.instruction(subset) for subset in ("base", "spatial", "visual"))
    places = [
        place for place, word in enumerate(("first", "second", "third", "fourth", "fifth", "sixth")) if word in spatial
    ]
    if scene.task == "place_shape_in_shape_sorter":
        shapes = [name for name in names if not name.startswith("hole")]
        (place,) = places
        assert f"the {shapes[place]} " in base and f"the {SHAPE_COLORS[shapes[place]]} shape" in visual
        color = scene._scene.model.geom(shapes[place]).rgba[:3]
        assert np.argmax(color) == {"red": 0, "green": 1, "blue": 2}[SHAPE_COLORS[shapes[place]]]
        return
    if scene.task == "wipe_table":
        areas = [name for name in names if name.endswith("area")]
        color, direction, _ = areas[places[0]].split()
        assert f" {direction} " in base and f" {color} " in visual and len(set(areas)) == 2
        turn = scene._scene.body_pose(direction)[3:]
        assert (abs(turn[2]) > 0.5) == (direction == "horizontal")
        return
    things = [name.rsplit(" ", 1)[0] for name in names if not name.endswith("platform")]
    asked = {things[place] for place in places}
    assert len(asked) == 1 and f"{asked.pop()} " in base
    if scene.task == "pick_up_cup":
        assert visual.endswith(f"not {things[1 - places[0]]}")
    else:
        assert len(places) == 2 and [things.count(color) for color in sorted(set(things), key=things.count)] == [2, 4]


def test_the_experts_plan_in_bins_completes_the_task_and_copies_are_independent(scene):
    first, second = embodied_scenes(scene.task, 2, 3, 96)
    assert first.plan == scene.plan and first.instruction("spatial") == scene.instruction("spatial")
    assert len(first.plan) == len(first.goals) <= 15
    for action, goal in zip(first.plan, first.goals, strict=True):
        pose, gripper = decode(action)
        assert np.abs(pose[:3] - goal.pose[:3]).max() <= 0.005 + 1e-9 and gripper == goal.gripper
    before = scene.gripper()[0]
    assert not first.success() and not second.success()
    outcomes = [first.act(action) for action in first.plan]
    assert first.success() and "unreachable" not in outcomes
    assert not scene.success() and (scene.gripper()[0] == before).all()


def _colors(sentence):
    return {"red", "green", "yellow", "orange", "black", "white"} & set(sentence.split())
