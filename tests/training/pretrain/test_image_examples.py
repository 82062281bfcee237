import numpy as np
import pytest
from positions_in_text import options_of, positions_of

from robotr1.demos.tabletop.tasks import OBJECTS
from robotr1.questions.answers import is_formatted, parse_answer, parse_state, thought
from robotr1.questions.movement import describe_movement
from robotr1.training.pretrain.image_examples import (
    GRIPPER_ODDS,
    movement_example,
    state_example,
    waypoint_example,
)
from robotr1.training.pretrain.scenes import Scene, random_scene

SEEDS = range(40)


@pytest.mark.parametrize("make", [state_example, waypoint_example])
def test_the_letter_is_the_option_nearest_to_the_position_named(make):
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        example = make(random_scene(rng), rng)
        completion = example.completion
        assert is_formatted(completion)
        places = {letter: np.array(parse_state(text)) for letter, text in options_of(example.prompt).items()}
        named = np.array(parse_state(thought(completion)))
        distances = {letter: np.linalg.norm(place - named) for letter, place in places.items()}
        assert distances[parse_answer(completion)] <= min(distances.values()) + 0.02  # rounding to centimetres


def test_the_waypoint_rule_is_left_out():
    """Gripper and objects are named equally often: nothing about the next waypoint can be learned."""
    rng = np.random.default_rng(0)
    for task in ("pick_up_cup", "put_rubbish_in_bin"):
        objects = np.array([[0.2, 0.2, 0.8], [0.1, -0.2, 0.9]])[: len(OBJECTS[task])]
        scene = Scene(task, np.array([0.3, 0.0, 1.4]), objects)
        thoughts = [thought(waypoint_example(scene, rng).completion) for _ in range(600)]
        for name, _ in scene.named_positions:
            share = np.mean([f"The {name} " in said for said in thoughts])
            assert abs(share - 1 / len(scene.named_positions)) < 0.08, name


def test_thoughts_about_the_gripper_can_be_rare():
    rng = np.random.default_rng(0)
    scene = Scene("push_button", np.array([0.3, 0.0, 1.4]), np.array([[0.2, 0.2, 0.8]]))
    said = [thought(waypoint_example(scene, rng, GRIPPER_ODDS).completion) for _ in range(600)]
    assert abs(np.mean(["The gripper " in text for text in said]) - GRIPPER_ODDS) < 0.06


def test_a_movement_goes_between_the_two_positions_named():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        scene = random_scene(rng)
        completion = movement_example(scene, rng).completion
        said = thought(completion)
        start, end, displacement = positions_of(said)
        assert np.allclose(displacement, end - start)
        assert said.endswith(f": {describe_movement(end - start)}.")
