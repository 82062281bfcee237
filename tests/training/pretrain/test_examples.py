from itertools import pairwise

import numpy as np
import pytest

from robotr1.demos.tabletop.tasks import OBJECTS
from robotr1.questions.answers import is_formatted, parse_answer, parse_state, thought
from robotr1.questions.movement import LABELS, describe_movement, parse_movement, word_differences
from robotr1.training.pretrain import examples as lessons

SEEDS = range(40)


def options_of(prompt: str) -> dict[str, str]:
    return {line[2]: line[6:] for line in prompt.splitlines() if line.startswith("[[")}


def places_of(text: str) -> list[np.ndarray]:
    return [np.array(parse_state("[" + part.split("]")[0] + "]")) for part in text.split("[")[1:]]


def words(movement: str) -> str:
    return movement.rpartition(": ")[2]


@pytest.mark.parametrize("make", [lessons.state_lesson, lessons.waypoint_lesson])
def test_the_letter_is_the_option_nearest_to_the_place_named(make):
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        lesson = make(lessons.imagined_scene(rng), rng)
        completion = lesson.completion
        assert is_formatted(completion)
        places = {letter: np.array(parse_state(text)) for letter, text in options_of(lesson.prompt).items()}
        named = np.array(parse_state(thought(completion)))
        distances = {letter: np.linalg.norm(place - named) for letter, place in places.items()}
        assert distances[parse_answer(completion)] <= min(distances.values()) + 0.02  # rounding to centimetres


def test_options_keep_their_distance():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        options = np.array(lessons.draw_options([rng.uniform(*lessons.BOUNDS)], 4, rng))
        gaps = np.linalg.norm(options[:, None] - options[None], axis=-1)[np.triu_indices(4, 1)]
        assert gaps.min() >= lessons.GAP


def test_the_waypoint_rule_is_left_out():
    """Gripper and things are named equally often: nothing about the next waypoint can be learned."""
    rng = np.random.default_rng(0)
    for task in ("pick_up_cup", "put_rubbish_in_bin"):
        things = np.array([[0.2, 0.2, 0.8], [0.1, -0.2, 0.9]])[: len(OBJECTS[task])]
        scene = lessons.Scene(task, np.array([0.3, 0.0, 1.4]), things)
        thoughts = [thought(lessons.waypoint_lesson(scene, rng).completion) for _ in range(600)]
        for name, _ in scene.places:
            share = np.mean([f"The {name} " in said for said in thoughts])
            assert abs(share - 1 / len(scene.places)) < 0.08, name


def test_the_gripper_can_be_made_a_rare_thought():
    rng = np.random.default_rng(0)
    scene = lessons.Scene("push_button", np.array([0.3, 0.0, 1.4]), np.array([[0.2, 0.2, 0.8]]))
    said = [thought(lessons.waypoint_lesson(scene, rng, lessons.GRIPPER_ODDS).completion) for _ in range(600)]
    assert abs(np.mean(["The gripper " in text for text in said]) - lessons.GRIPPER_ODDS) < 0.06


def test_a_movement_goes_between_the_two_places_named():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        scene = lessons.imagined_scene(rng)
        completion = lessons.movement_lesson(scene, rng).completion
        said = thought(completion)
        start, end, way = places_of(said)
        assert np.allclose(way, end - start)
        assert said.endswith(f": {describe_movement(end - start)}.")


@pytest.mark.parametrize("make", [lessons.matching_drill, lessons.reading_drill])
def test_a_drill_answers_with_the_nearest_option(make):
    for seed in SEEDS:
        pieces = make(np.random.default_rng(seed)).pieces
        places = {letter: np.array(parse_state(text)) for letter, text in options_of(pieces[0][0]).items()}
        for (query, given), (answer, weight) in zip(pieces[1::2], pieces[2::2], strict=True):
            assert given == 0
            if weight == lessons.LETTER_WEIGHT:
                place = np.array(parse_state(query.strip()[3:-1]))
                distances = {letter: np.linalg.norm(option - place) for letter, option in places.items()}
                assert distances[answer[2]] == min(distances.values())
            else:
                assert np.array_equal(parse_state(answer.strip()), places[query.strip()[2]])


def test_a_reckoning_drill_tells_each_way_and_the_option_like_it():
    told = set()
    for seed in SEEDS:
        (listed, _), *pieces = lessons.reckoning_drill(np.random.default_rng(seed)).pieces
        options = {letter: parse_movement(text) for letter, text in options_of(listed).items()}
        assert len(set(options.values())) == 4
        for (way, given), (movement, weight) in pairwise(pieces):
            if not way.startswith("\n"):
                continue
            start, end, difference = places_of(way + movement)
            assert (given, weight) == (0, 1)
            assert np.allclose(difference, end - start)
            assert movement.endswith(f": {describe_movement(end - start)}.")
            told.add(words(movement))
        for (movement, _), (letter, weight) in pairwise(pieces):
            if weight == lessons.LETTER_WEIGHT:
                said = parse_movement(words(movement))
                differences = {key: word_differences(said, option) for key, option in options.items()}
                assert [key for key in options if differences[key] == min(differences.values())] == [letter[2]]
    assert len(told) > 60  # of the 99 that there are: the drills do not dwell on a few


def test_the_ways_of_a_reckoning_drill_stay_where_grippers_are():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        places = np.array(lessons._way(LABELS[rng.integers(len(LABELS))], rng))
        assert (places >= lessons.BOUNDS[0] - 0.03).all()
        assert (places <= lessons.BOUNDS[1] + 0.03).all()
