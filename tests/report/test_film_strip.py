"""Film strips of invented episodes."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from robotr1.evaluation.closed_loop.results import Step, Trace
from robotr1.report.film_strip import film_strip, success_and_failure


def trace(success, steps, seen=True):
    image = np.zeros((8, 8, 3), np.uint8) if seen else None
    target = [0.1, 0.2, 0.9]
    answers = [target if success else [0.3, 0.2, 0.9], None, target][:steps]
    outcomes = ["moved", "unreadable", "blocked"]
    told = [Step(image, [0, 0, 1], target, answer, outcome) for answer, outcome in zip(answers, outcomes)]
    return Trace("base", "push_button", 0, "push the red button", told, success, image)


def test_one_row_per_episode_its_steps_and_the_end():
    figure = film_strip([trace(True, 1), trace(False, 3)])
    pictures = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in pictures] == [
        "[0.1, 0.2, 0.9]\nas the script",
        "done",
        "[0.3, 0.2, 0.9]\nscript [0.1, 0.2, 0.9]",
        "no answer\nto be read",
        "[0.1, 0.2, 0.9]\nas the script\nblocked",
        "wrong place",
    ]
    assert [strip.get_suptitle() for strip in figure.subfigs] == ["base: push the red button"] * 2
    plt.close(figure)


def test_long_episodes_go_on_below():
    figure = film_strip([trace(False, 3), replace(trace(False, 3), steps=trace(False, 3).steps * 3)])
    assert figure.get_size_inches()[0] == 6.4
    assert [len(strip.axes) for strip in figure.subfigs] == [4, 12]
    assert sum(bool(axis.images) for axis in figure.axes) == 4 + 10
    plt.close(figure)


def test_unseen_episodes_have_no_film():
    assert film_strip([trace(True, 1, seen=False)]) is None
    assert success_and_failure([trace(False, 1, seen=False)]) == []


def test_the_first_of_each_kind():
    traces = [trace(False, 1), trace(False, 2), trace(True, 1), trace(True, 2)]
    assert success_and_failure(traces) == [traces[2], traces[0]]
    assert success_and_failure(traces[:2]) == [traces[0]]
