"""The runner of the EB-Manipulation protocol: its rules in an invented scene, its brackets in the simulator."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.eb_manipulation import run as embodied
from robotr1.evaluation.eb_manipulation.planners import MOST_STEPS, Planner, oracle, random_planner
from robotr1.evaluation.eb_manipulation.results import SUBSETS, check_brackets, summarize
from robotr1.evaluation.eb_manipulation.run import play
from robotr1.evaluation.eb_manipulation.scenes import TASKS
from robotr1.paths import PANDA

GO, WRONG, FAR = (10, 20, 30, 0, 60, 0, 1), (11, 20, 30, 0, 60, 0, 1), (10, 20, 99, 0, 60, 0, 1)
needs_panda = pytest.mark.skipif(not (PANDA / "panda.json").exists(), reason="no Panda")


class Line:
    """Done after GO was executed `needed` times in a row; FAR cannot be reached."""

    def __init__(self, task, episode, needed=2):
        self.task, self.episode, self.refused = task, episode, 0
        self.plan, self.needed, self.row, self.acted = [GO] * needed, needed, 0, []

    def act(self, action):
        self.acted.append(action)
        if action == FAR:
            return "unreachable"
        self.row = self.row + 1 if action == GO else 0
        return "moved"

    def success(self):
        return self.row >= self.needed

    def objects(self):
        return [("red cup", np.array([0.1, -0.1, 0.8])), ("blue cup", np.array([0.2, 0.1, 0.8]))]

    def pixels(self):
        return np.array([[8.0, 8.0], [24.0, 20.0]])

    def image(self):
        return np.zeros((32, 32, 3), np.uint8)

    def steps(self):
        return ("go", "go again")

    def tell(self, subset):
        return f"do it, {subset}"


@pytest.fixture
def lines(monkeypatch):
    def scenes(task, episodes, seed, image_size):
        return (Line(task, episode) for episode in range(episodes))

    monkeypatch.setattr(embodied, "embodied_scenes", scenes)


def reply(*plan):
    return json.dumps({"executable_plan": [{"action": str(list(action))} for action in plan]})


def one(tmp_path, *replies):
    """Play one scene with replies one after the other, the last one for ever; return (episode, requests)."""
    requests, left = [], list(replies)

    def complete(asked):
        requests.extend(asked)
        return [left.pop(0) if len(left) > 1 else left[0] for _ in asked]

    planner = Planner("says", complete)
    (episode,) = play(planner, 1, 0, tmp_path / "says.jsonl", subsets=["base"], tasks=["pick_up_cup"])
    return episode, requests


def test_a_plan_is_executed_to_its_end_and_the_policy_asked_again_with_what_was_done(lines, tmp_path):
    episode, requests = one(tmp_path, reply(GO, WRONG, FAR), reply(GO, GO, GO))
    assert episode.success and (episode.replies, episode.steps, episode.unreachable) == (2, 5, 1)
    assert "Done so far" not in requests[0].prompt
    assert f"2. {list(WRONG)}: moved\n3. {list(FAR)}: unreachable" in requests[1].prompt


def test_no_more_than_fifteen_actions_are_done(lines, tmp_path):
    episode, requests = one(tmp_path, reply(*[WRONG] * 14), reply(GO, GO))
    assert not episode.success and episode.steps == MOST_STEPS and len(requests[-1].scene.acted) == MOST_STEPS


def test_unreadable_replies_cost_steps_and_move_nothing(lines, tmp_path):
    episode, requests = one(tmp_path, "no idea", reply(GO, GO))
    assert episode.success and (episode.unreadable, episode.steps) == (1, 3)
    assert "1. []: unreadable, no JSON object" in requests[1].prompt and requests[0].scene.acted == [GO, GO]
    episode, requests = one(tmp_path / "2", "no idea")
    assert not episode.success and episode.unreadable == episode.steps == episode.replies == MOST_STEPS
    assert requests[0].scene.acted == []


def test_an_empty_plan_ends_the_episode(lines, tmp_path):
    episode, _ = one(tmp_path, reply())
    assert (episode.success, episode.replies, episode.steps, episode.unreadable) == (False, 1, 0, 0)


def test_a_policy_that_sees_gets_examples_and_pictures_and_others_get_none(lines, tmp_path):
    seen = []

    def complete(requests):
        seen.extend((Image.open(request.image).size, request.prompt) for request in requests)
        return [reply(GO, GO) for _ in requests]

    play(Planner("eyes", complete, sees=True), 1, 0, tmp_path / "eyes.jsonl", shots=3, subsets=["visual"])
    assert len(seen) == len(TASKS)
    for size, prompt in seen:
        assert size == (32, 32) and prompt.count("Example ") == 3 and "do it, visual" in prompt
    _, requests = one(tmp_path, reply(GO, GO))
    assert requests[0].image == "" and "Example" not in requests[0].prompt


@given(st.integers(1, 5), st.integers(1, 5))
def test_what_was_played_is_kept_and_how_many_play_together_changes_nothing(together, before):
    with pytest.MonkeyPatch.context() as patch, embodied.TemporaryDirectory() as folder:
        patch.setattr(embodied, "embodied_scenes", lambda task, n, *_: (Line(task, episode) for episode in range(n)))
        asked = []

        def complete(requests):
            asked.extend(requests)
            return [reply(GO) for _ in requests]

        output = embodied.Path(folder) / "a.jsonl"
        play(Planner("a", complete), before, 0, output, together=together)
        episodes = play(Planner("a", complete), 5, 0, output, together=together)
    assert len(episodes) == len({(one.task, one.subset, one.episode) for one in episodes}) == 5 * len(TASKS) * 5
    assert all(one.success and one.replies == 2 for one in episodes)
    assert len(asked) == 2 * len(episodes)  # none was played twice


def test_results_of_another_run_are_not_mixed_in(lines, tmp_path):
    output = tmp_path / "oracle.jsonl"
    play(oracle(), 1, 0, output)
    for other in ({"seed": 1}, {"shots": 2}, {"image_size": 64}):
        with pytest.raises(BenchmarkError, match="another run"):
            play(oracle(), 1, other.pop("seed", 0), output, **other)


def test_random_plans_are_readable_and_repeatable(lines, tmp_path):
    runs = [play(random_planner(4), 3, 0, tmp_path / f"{run}.jsonl") for run in range(2)]
    assert runs[0] == runs[1]
    assert all(one.unreadable == 0 and one.steps == MOST_STEPS and not one.success for one in runs[0])


def test_brackets_are_the_oracle_in_all_wordings_and_random_in_one(lines, monkeypatch):
    table = summarize(embodied.brackets(2, 0)).set_index(["policy", "subset"])
    assert set(table.loc["oracle"].index) == {*SUBSETS, "all"}
    assert set(table.loc["random"].index) == {"base", "all"}
    assert (table.loc["oracle"]["success"] == 1).all() and (table.loc["random"]["success"] == 0).all()
    monkeypatch.setattr(Line, "success", lambda self: False)
    with pytest.raises(BenchmarkError, match="the oracle fails"):
        embodied.brackets(1, 0)


@needs_panda
def test_the_brackets_hold_in_the_simulator(tmp_path):
    task = ["pick_up_cup"]
    best = play(oracle(), 2, 5, tmp_path / "oracle.jsonl", subsets=["base"], tasks=task, image_size=64)
    worst = play(random_planner(5), 2, 5, tmp_path / "random.jsonl", subsets=["base"], tasks=task, image_size=64)
    check_brackets(best, worst)
    assert [one.success for one in worst] == [False, False]


@needs_panda
def test_a_runner_that_does_not_execute_what_was_planned_is_caught(tmp_path, monkeypatch):
    act = embodied.EmbodiedScene.act
    monkeypatch.setattr(
        embodied.EmbodiedScene, "act", lambda self, action: act(self, (action[0], min(action[1] + 5, 99), *action[2:]))
    )
    task = ["pick_up_cup"]
    monkeypatch.setattr(embodied, "embodied_scenes", _prepared_with(act, embodied.embodied_scenes))
    episodes = play(oracle(), 1, 5, tmp_path / "oracle.jsonl", subsets=["base"], tasks=task, image_size=64)
    with pytest.raises(BenchmarkError, match="fails 1 of 1"):
        check_brackets(episodes, [])


def _prepared_with(act, scenes):
    """The scenes as they were found before the runner was broken."""

    def prepared(*arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embodied.EmbodiedScene, "act", act)
            return list(scenes(*arguments))

    return prepared
