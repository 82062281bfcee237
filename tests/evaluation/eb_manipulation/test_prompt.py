"""The prompt has all that a policy needs, except which object is which."""

import numpy as np
import pytest

from robotr1.evaluation.eb_manipulation.actions import parse_plan
from robotr1.evaluation.eb_manipulation.prompt import example, numbered_image, prompt
from robotr1.evaluation.eb_manipulation.results import SUBSETS
from robotr1.evaluation.eb_manipulation.scenes import TASKS, embodied_scenes

pytestmark = pytest.mark.usefixtures("simulator")


@pytest.fixture(scope="module", params=TASKS)
def scene(request):
    return next(embodied_scenes(request.param, 1, 3, 128))


def test_an_example_is_the_experts_plan_in_the_requested_form(scene):
    text = example(scene)
    assert parse_plan(text.split("Answer: ")[1]) == scene.plan
    assert scene.instruction("base") in text


@pytest.mark.parametrize("subset", SUBSETS)
def test_the_prompt_has_positions_and_no_names(scene, subset):
    text = prompt(scene, scene.instruction(subset), [])
    asked = text.split("Now your turn.")[1]
    for number, (name, middle) in enumerate(scene.objects(), start=1):
        bins = np.floor((middle - [-0.3, -0.5, 0.6]) / 0.01 + 1e-9).astype(int).tolist()
        assert f'"object {number}": {bins}' in asked
        if subset == "spatial" and not name.startswith(("green platform", "hole")):
            assert name not in asked
    assert "Example" not in text and text.endswith("Answer:")


def test_every_object_has_its_number_in_the_image(scene):
    plain, drawn = scene.image().astype(int), np.asarray(numbered_image(scene)).astype(int)
    changed = np.abs(plain - drawn).max(axis=2) > 60
    for u, v in np.round(scene.pixels()).astype(int):
        assert changed[v - 4 : v + 5, u - 4 : u + 5].any()
