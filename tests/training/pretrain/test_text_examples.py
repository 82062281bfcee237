from itertools import pairwise

import numpy as np
import pytest
from positions_in_text import options_of, positions_of, words

from robotr1.questions.answers import parse_state
from robotr1.questions.movement import LABELS, describe_movement, parse_movement, word_differences
from robotr1.training.pretrain.scenes import BOUNDS
from robotr1.training.pretrain.text_examples import (
    LETTER_WEIGHT,
    _displaced_positions,
    displacement_example,
    hard_option_example,
    option_example,
)

SEEDS = range(40)


@pytest.mark.parametrize("make", [option_example, hard_option_example])
def test_a_query_is_answered_with_the_nearest_option(make):
    for seed in SEEDS:
        pieces = make(np.random.default_rng(seed)).pieces
        places = {letter: np.array(parse_state(text)) for letter, text in options_of(pieces[0][0]).items()}
        for (query, given), (answer, weight) in zip(pieces[1::2], pieces[2::2], strict=True):
            assert given == 0
            if weight == LETTER_WEIGHT:
                place = np.array(parse_state(query.strip()[3:-1]))
                distances = {letter: np.linalg.norm(option - place) for letter, option in places.items()}
                assert distances[answer[2]] == min(distances.values())
            else:
                assert np.array_equal(parse_state(answer.strip()), places[query.strip()[2]])


def test_each_displacement_comes_with_its_movement_and_the_nearest_option():
    seen = set()
    for seed in SEEDS:
        (listed, _), *pieces = displacement_example(np.random.default_rng(seed)).pieces
        options = {letter: parse_movement(text) for letter, text in options_of(listed).items()}
        assert len(set(options.values())) == 4
        for (text, given), (movement, weight) in pairwise(pieces):
            if not text.startswith("\n"):
                continue
            start, end, difference = positions_of(text + movement)
            assert (given, weight) == (0, 1)
            assert np.allclose(difference, end - start)
            assert movement.endswith(f": {describe_movement(end - start)}.")
            seen.add(words(movement))
        for (movement, _), (letter, weight) in pairwise(pieces):
            if weight == LETTER_WEIGHT:
                said = parse_movement(words(movement))
                differences = {key: word_differences(said, option) for key, option in options.items()}
                assert [key for key in options if differences[key] == min(differences.values())] == [letter[2]]
    assert len(seen) > 60  # of the 99 that there are: the examples cover most of them


def test_displaced_positions_stay_within_the_bounds():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        places = np.array(_displaced_positions(LABELS[rng.integers(len(LABELS))], rng))
        assert (places >= BOUNDS[0] - 0.03).all()
        assert (places <= BOUNDS[1] + 0.03).all()
