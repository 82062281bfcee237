"""The rules of the EB-Manipulation protocol, in an invented scene."""

from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_scene import FAR, GO, WRONG, Line, reply
from PIL import Image

from robotr1 import paths
from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.eb_manipulation import results, run
from robotr1.evaluation.eb_manipulation.agents import MAX_STEPS, Agent, oracle_agent
from robotr1.evaluation.eb_manipulation.run import run_agent
from robotr1.evaluation.eb_manipulation.scenes import TASKS


def invented_scenes(task, episodes, seed, image_size):
    return (Line(task, episode) for episode in range(episodes))


@pytest.fixture
def lines(monkeypatch):
    monkeypatch.setattr(run, "embodied_scenes", invented_scenes)


def one(*replies):
    """Run one scene with the replies in turn, the last one for ever; return (episode, requests)."""
    requests, left = [], list(replies)

    def complete(asked):
        requests.extend(asked)
        return [left.pop(0) if len(left) > 1 else left[0] for _ in asked]

    (episode,) = run_agent(Agent("scripted", complete), 1, 0, subsets=["base"], tasks=["pick_up_cup"])
    return episode, requests


@pytest.mark.usefixtures("lines")
def test_a_plan_is_executed_to_its_end_and_the_next_prompt_has_the_history():
    episode, requests = one(reply(GO, WRONG, FAR), reply(GO, GO, GO))
    assert episode.success and (episode.replies, episode.steps, episode.unreachable) == (2, 5, 1)
    assert "Done so far" not in requests[0].prompt
    assert f"2. {list(WRONG)}: moved\n3. {list(FAR)}: unreachable" in requests[1].prompt


@pytest.mark.usefixtures("lines")
def test_an_episode_has_at_most_fifteen_actions():
    episode, requests = one(reply(*[WRONG] * 14), reply(GO, GO))
    assert not episode.success and episode.steps == MAX_STEPS and len(requests[-1].scene.acted) == MAX_STEPS


@pytest.mark.usefixtures("lines")
def test_unreadable_replies_cost_steps_and_move_nothing():
    episode, requests = one("no idea", reply(GO, GO))
    assert episode.success and (episode.unreadable, episode.steps) == (1, 3)
    assert "1. []: unreadable, no JSON object" in requests[1].prompt and requests[0].scene.acted == [GO, GO]
    episode, requests = one("no idea")
    assert not episode.success and episode.unreadable == episode.steps == episode.replies == MAX_STEPS
    assert requests[0].scene.acted == []


@pytest.mark.usefixtures("lines")
def test_an_empty_plan_ends_the_episode():
    episode, _ = one(reply())
    assert (episode.success, episode.replies, episode.steps, episode.unreadable) == (False, 1, 0, 0)


@pytest.mark.usefixtures("lines")
def test_only_an_agent_with_images_gets_examples_and_images():
    shown, files = [], []

    def complete(requests):
        for request in requests:
            files.append(paths.ROOT / request.image)
            assert not PurePosixPath(request.image).is_absolute()
            shown.append((Image.open(paths.ROOT / request.image).size, request.prompt))
        return [reply(GO, GO) for _ in requests]

    run_agent(Agent("images", complete, uses_images=True), 1, 0, shots=3, subsets=["visual"])
    assert len(shown) == len(TASKS)
    for size, prompt in shown:
        assert size == (32, 32) and prompt.count("Example ") == 3 and "do it, visual" in prompt
    assert not any(file.exists() for file in files), "images are temporary"
    _, requests = one(reply(GO, GO))
    assert requests[0].image == "" and "Example" not in requests[0].prompt


@given(st.integers(1, 5), st.integers(1, 5))
def test_a_run_resumes_and_the_number_of_scenes_at_a_time_changes_nothing(together, before):
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(run, "embodied_scenes", invented_scenes)
        asked = []

        def complete(requests):
            asked.extend(requests)
            return [reply(GO) for _ in requests]

        agent = Agent("a", complete)
        run_agent(agent, before, 0, Path(folder), together=together)
        episodes = run_agent(agent, 5, 0, Path(folder), together=together)
        assert results.read(Path(folder)) == episodes
    assert len(episodes) == len({(one.task, one.subset, one.episode) for one in episodes}) == 5 * len(TASKS) * 5
    assert all(one.success and one.replies == 2 for one in episodes)
    assert len(asked) == 2 * len(episodes)  # no episode ran twice


@pytest.mark.usefixtures("lines")
def test_results_of_another_run_are_not_mixed_in(tmp_path):
    run_agent(oracle_agent(), 1, 0, tmp_path)
    for other in ({"seed": 1}, {"shots": 2}, {"image_size": 64}):
        with pytest.raises(BenchmarkError, match="oracle/embodied.jsonl has episodes of another run"):
            run_agent(oracle_agent(), 1, other.pop("seed", 0), tmp_path, **other)
