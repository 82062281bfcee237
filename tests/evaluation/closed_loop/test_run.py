"""The closed loop: its rules in an invented world whose odds are known, and its brackets in the real simulator."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from small_settings import WAYPOINTS as SETTINGS

from robotr1.demos.tabletop.tasks import TASKS
from robotr1.evaluation.closed_loop.players import Choices, Coordinates, Player, oracle_player, random_player
from robotr1.evaluation.closed_loop.results import SPARE, compare, summarize
from robotr1.evaluation.closed_loop.run import check_brackets, closed_loop, play_controls, run
from robotr1.evaluation.closed_loop.worlds import Goal
from robotr1.evaluation.controls import BenchmarkError
from robotr1.paths import PANDA
from robotr1.questions.prompts import LETTERS, completion_text, format_state
from robotr1.records import Question

DOWN = np.array([0.0, 1.0, 0.0, 0.0])
needs_panda = pytest.mark.skipif(not (PANDA / "panda.json").exists(), reason="no Panda")


class Point:
    """A point that jumps where it is sent; done when it was at all goals, with the gripper as told there, in turn.

    Above 1.5 m nothing can be reached.
    """

    def __init__(self, episode: int, goals: int = 2):
        rng = np.random.default_rng(episode)
        self.task, self.episode, self.instruction = "points", episode, "go there"
        places = rng.uniform([0, -0.4, 0.8], [0.5, 0.4, 1.4], (goals, 3))
        self.goals = [Goal(np.array([*place, *DOWN]), float(number % 2)) for number, place in enumerate(places)]
        self.demo = np.array([goal.pose for goal in self.goals]), np.array([goal.gripper for goal in self.goals])
        self.visited, self.drawn = [], 0

    def image(self):
        self.drawn += 1
        return np.full((8, 8, 3), self.drawn, np.uint8)

    def hand(self):
        return (self.visited[-1] if self.visited else (np.array([0.3, 0.0, 1.4, *DOWN]), 1.0))[:2]

    def execute(self, pose, gripper):
        if pose[2] > 1.5:
            return "unreachable"
        self.visited.append((pose, gripper))
        return "moved"

    def success(self):
        reached = [
            np.allclose(pose[:3], goal.pose[:3], atol=0.015)
            and abs(pose[3:] @ goal.pose[3:]) > 0.999
            and gripper == goal.gripper
            for (pose, gripper), goal in zip(self.visited, self.goals)
        ]
        return len(reached) == len(self.goals) and all(reached)


def points(count, goals=2):
    return (Point(episode, goals) for episode in range(count))


def says(*completions, form=None, sees=False):
    """A player that writes the same to every question, or one thing after the other."""
    left = list(completions)
    one = len(left) == 1
    return Player(
        "says",
        form or Coordinates(SETTINGS),
        lambda questions: [left[0] if one else left.pop(0) for _ in questions],
        sees=sees,
    )


def facts(traces):
    return [(t.task, t.episode, t.success, t.reason, [(s.state, s.answer, s.outcome) for s in t.steps]) for t in traces]


@pytest.mark.parametrize("kind", ["position", "extended"])
@pytest.mark.parametrize("form", [Choices, Coordinates])
def test_the_oracle_succeeds_in_every_form_and_kind_of_state(form, kind):
    settings = replace(SETTINGS, state=kind)
    asked = Choices([], settings) if form is Choices else Coordinates(settings)
    traces = run(points(20), oracle_player(asked), kind)
    assert all(trace.success and not trace.reason and len(trace.steps) == 2 for trace in traces)
    assert all(len(step.answer) == (3 if kind == "position" else 7) for trace in traces for step in trace.steps)


def test_the_random_player_succeeds_as_often_as_its_odds_say():
    """Of four options in two steps: 1 in 16; those of the workspace that lie above 1.5 m are asked again."""
    traces = run(points(600), random_player(Choices([], SETTINGS), 0))
    share = np.mean([trace.success for trace in traces])
    assert 0.04 < share < 0.105, share  # 1/16 = 0.0625; 0.25 / (1 - 0.75 * 0.1 / 0.85) squared = 0.075
    assert not any(trace.success for trace in run(points(300), random_player(Coordinates(SETTINGS), 0)))


def test_the_gripper_comes_from_the_script_or_in_extended_states_from_the_policy():
    def wrong_gripper(questions):
        return [format_state([*q.target[:6], 1 - q.target[6]], 6) for q in questions]

    extended = replace(SETTINGS, state="extended")
    (trace,) = run(points(1), Player("wrong", Coordinates(extended), wrong_gripper), "extended")
    assert not trace.success and trace.reason == "not done" and all(step.right for step in trace.steps)
    (trace,) = run(points(1), oracle_player(Coordinates(extended)), "extended")
    assert trace.success


@given(st.lists(st.sampled_from(["[0.3, 0.1, 1.0]", "[0.3, 0.1, 1.55]", "[9, 9, 9]", "", "[1, 2]"]), min_size=6))
def test_lost_steps_are_asked_again_until_the_limit(completions):
    (trace,) = run(points(1), says(*completions))
    lost = [step.lost for step in trace.steps]
    assert [step.outcome for step in trace.steps] == [
        {"[0.3, 0.1, 1.0]": "moved", "": "unreadable", "[1, 2]": "unreadable"}.get(text, "unreachable")
        for text in completions[: len(lost)]
    ]
    assert sum(lost) <= SPARE + 1 and lost.count(False) <= 2
    assert sum(lost) == SPARE + 1 or lost.count(False) == 2
    targets = [step.target for step in trace.steps]
    for before, after, was_lost in zip(targets, targets[1:], lost):
        assert (before == after) == was_lost


def test_a_policy_that_answers_nothing_is_counted_and_not_fatal():
    for form in (Choices([], SETTINGS), Coordinates(SETTINGS)):
        for text in ("", "no idea", "<answer> [[H]] </answer>"):
            traces = run(points(3), says(text, form=form))
            assert [trace.reason for trace in traces] == ["unreadable"] * 3
            row = summarize(traces).iloc[0]
            assert (row["success"], row["unreadable"], row["asked"], row["right"]) == (0, 3, SPARE + 1, 0)
            assert 0 == row["low"] < row["high"] < 1


def test_an_option_is_executed_as_printed_and_the_true_one_as_the_scripts():
    asked = []

    def first(questions):
        asked.extend(questions)
        return [completion_text("Why not.", "A") for _ in questions]

    traces = run(points(40), Player("first", Choices([], SETTINGS), first))
    steps = {(t.episode, number): step for t in traces for number, step in enumerate(t.steps)}
    assert {question.answer for question in asked} == set(LETTERS[:4])
    for question in asked:
        step = steps[question.episode, question.frame]
        assert question.options[0] in question.prompt
        assert step.right == (question.answer == "A")
        if step.right:
            assert step.answer == step.target == question.target
        else:
            assert format_state(step.answer, 2) == question.options[0]


def test_wrong_options_are_those_of_the_training_questions():
    places = [[0.1, -0.3, 1.0], [0.2, 0.3, 1.1], [0.4, 0.0, 1.2], [0.05, 0.2, 0.9]]
    draft = Question("", "train", "waypoint", "points", 0, 0, 0, 0, "", "", [0, 0, 0], [], [], "A", "")
    known = [replace(draft, episode=number, target=place) for number, place in enumerate(places)]
    elsewhere = replace(draft, split="test_in", target=[0.33, 0.33, 1.33])
    asked = []

    def complete(questions):
        asked.extend(questions)
        return [""] * len(questions)

    form = Choices([*known, elsewhere], replace(SETTINGS, distractors="other_episodes"))
    run(points(10), Player("asks", form, complete))
    allowed = {format_state(place, 2) for place in places}
    for question in asked:
        truth = question.options[LETTERS.index(question.answer)]
        assert truth == format_state(question.target, 2)
        assert set(question.options) - {truth} <= allowed
    assert len({tuple(question.options) for question in asked}) > 10  # drawn anew when a step is asked again


def test_together_or_one_by_one_and_again_give_the_same():
    player = random_player(Choices([], SETTINGS), 3)
    together = facts(run(points(20), player, together=16))
    assert together == facts(run(points(20), player, together=1)) == facts(run(points(20), player, together=16))
    assert together != facts(run(points(20), random_player(Choices([], SETTINGS), 4)))


def test_batches_hold_every_running_episode():
    sizes = []

    def complete(questions):
        sizes.append(len(questions))
        return [format_state(question.target, 6) for question in questions]

    run(points(5, goals=3), Player("counts", Coordinates(SETTINGS), complete), together=3)
    assert sizes == [3, 3, 3, 2, 2, 2]


def test_a_player_that_sees_gets_a_picture_of_every_moment():
    shown = []

    def complete(questions):
        for question in questions:
            with Image.open(question.image) as image:
                shown.append(int(np.asarray(image)[0, 0, 0]))
        return [format_state(question.target, 6) for question in questions]

    (trace,) = run(points(1), Player("sees", Coordinates(SETTINGS), complete, sees=True))
    assert shown == [1, 2]
    assert [int(step.image[0, 0, 0]) for step in trace.steps] == shown and trace.last_image[0, 0, 0] == 3
    (blind,) = run(points(1), oracle_player(Coordinates(SETTINGS)))
    assert blind.last_image is None and blind.steps[0].image is None


def test_a_broken_bracket_stops_the_build():
    traces = run(points(40), oracle_player(Choices([], SETTINGS)))
    check_brackets(traces, 0.25)
    with pytest.raises(BenchmarkError, match="random player does 40 of 40"):
        check_brackets([replace(trace, policy="random") for trace in traces], 0.25)
    failing = [replace(trace, success=trace.episode != 7) for trace in traces]
    with pytest.raises(
        BenchmarkError, match="oracle fails 1 of 40 episodes of the closed loop, first points, episode 7"
    ):
        check_brackets(failing, 0.25)


def test_the_table_has_a_row_per_task_and_one_for_all():
    traces = run(points(8), oracle_player(Coordinates(SETTINGS)))
    traces += [replace(trace, task="other", success=False) for trace in traces[:2]]
    table = summarize(traces).set_index("task")
    assert table["episodes"].to_dict() == {"points": 8, "other": 2, "all": 10}
    assert table["success"].to_dict() == {"points": 1.0, "other": 0.0, "all": 0.8}
    assert table.loc["all", "low"] == pytest.approx(0.490, abs=1e-3)  # Wilson, 8 of 10
    assert table.loc["other", "not done"] == 2


# -- in the simulator --------------------------------------------------------------------------------------------------


@needs_panda
@pytest.mark.parametrize("task", TASKS)
def test_on_the_tabletop_the_oracle_does_every_task(task):
    position = _tabletop(oracle_player(Choices([], SETTINGS)), task, 2)
    assert [trace.success for trace in position] == [True, True]
    extended = oracle_player(Coordinates(replace(SETTINGS, state="extended")))
    assert _tabletop(extended, task, 1, kind="extended")[0].success


@needs_panda
def test_on_the_tabletop_players_meet_the_same_fresh_placements_and_traces_repeat():
    random = random_player(Choices([], SETTINGS), 0)
    first = _tabletop(random, "push_button", 3)
    assert facts(first) == facts(_tabletop(random, "push_button", 3, together=1))
    starts = [trace.steps[0].target for trace in _tabletop(oracle_player(Coordinates(SETTINGS)), "push_button", 3)]
    assert starts == [trace.steps[0].target for trace in first]
    assert len({tuple(start) for start in starts}) == 3
    other = _tabletop(random, "push_button", 3, seed=6)
    assert starts != [trace.steps[0].target for trace in other]


@needs_panda
def test_on_the_tabletop_the_oracle_moves_as_the_expert_did():
    from robotr1.evaluation.closed_loop.tabletop_world import tabletop_worlds

    for world in tabletop_worlds("pick_up_cup", 2, 5):
        poses, opened = world.demo
        for goal in world.goals:
            assert world.execute(goal.pose, goal.gripper) == "moved"
        np.testing.assert_allclose(world.hand()[0], poses[-1], atol=1e-6)
        assert world.hand()[1] == opened[-1] and world.success()


@needs_panda
def test_on_the_tabletop_what_cannot_be_reached_moves_nothing_and_what_is_in_the_way_blocks():
    from robotr1.evaluation.closed_loop.tabletop_world import tabletop_worlds

    (world,) = tabletop_worlds("lamp_on", 1, 5)
    home, state = world.hand()[0], world._scene.save_state()[0]
    far = np.array([0.69, 0.49, 1.59, *home[3:]])
    assert world.execute(far, 0.0) == "unreachable"
    np.testing.assert_array_equal(world._scene.save_state()[0], state)
    into_the_table = np.array([0.45, 0.3, 0.70, *DOWN])
    assert world.execute(into_the_table, 1.0) == "blocked"
    assert world.hand()[0][2] > 0.74
    assert world.execute(np.array([0.35, 0.2, 1.0, *DOWN]), 1.0) == "moved"  # and it can go on from there


@needs_panda
def test_closed_loop_plays_the_controls_first():
    silent = says("", form=Choices([], SETTINGS))
    table = summarize(closed_loop([silent], ["push_button", "lamp_on"], 2, 5, SETTINGS)).set_index(["policy", "task"])
    assert table.loc[("oracle", "all"), "success"] == 1.0
    assert table.loc[("says", "all"), "unreadable"] == 4
    assert list(dict.fromkeys(policy for policy, _ in table.index)) == ["oracle", "random", "says"]


def _tabletop(player, task, episodes, seed=5, **how):
    from robotr1.evaluation.closed_loop.tabletop_world import tabletop_worlds

    return run(tabletop_worlds(task, episodes, seed), player, **how)


def test_success_is_compared_on_the_placements_that_both_met():
    ours = run(points(10), oracle_player(Coordinates(SETTINGS)))
    theirs = [replace(trace, policy="half", success=trace.episode % 2 == 0) for trace in ours[:8]]
    row = compare([*ours, *theirs], [("oracle", "half"), ("oracle", "absent")]).iloc[0]
    assert (row["episodes"], row["difference"], row["gained"], row["lost"]) == (8, 0.5, 4, 0)
    assert row["p_value"] == row["p_holm"] == pytest.approx(2 / 2**4)
    assert row["low"] < 0.5 < row["high"]
    assert compare(ours, [("oracle", "absent")]).empty


def test_nobody_acts_and_nothing_breaks():
    assert play_controls(Choices([], SETTINGS), [], 0, 0, SETTINGS) == []
    assert summarize([]).empty
