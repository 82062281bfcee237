"""Recordings as a source: copied after a check, refused with the name of the bad file."""

import dataclasses

import numpy as np
import pytest

from robotr1.demos.collect import CollectionError, collect_demos
from robotr1.demos.episode import EpisodeError, read_episode
from robotr1.demos.recorded import choose_recorded, copy_recorded
from robotr1.settings import ExtractDemos

SETTINGS = ExtractDemos(
    source="recorded",
    recorded_folder="recordings",
    train_tasks=["pick_up_cup"],
    held_out_tasks=[],
    demos_per_train_task=2,
    demos_per_held_out_task=0,
    image_size=224,
    frame_interval=10,
    workers=1,
    seed=0,
)


@pytest.fixture
def source(make_episode, tmp_path):
    for episode in range(3):
        make_episode(episode=episode, root=tmp_path / "source")
    return tmp_path / "source"


def test_copies_the_first_episodes_without_depth_and_masks(source, tmp_path):
    depth = source / "pick_up_cup/variation0/episodes/episode0/front_depth"
    depth.mkdir()
    (depth / "0.png").write_bytes(b"")
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(source))
    (row,) = collect_demos(settings, tmp_path / "demos")
    assert (row.task, row.demos, row.attempts) == ("pick_up_cup", 2, None)
    copied = read_episode(tmp_path / "demos/pick_up_cup/variation0/episodes/episode1")
    original = read_episode(source / "pick_up_cup/variation0/episodes/episode1")
    np.testing.assert_array_equal(copied.gripper_pose, original.gripper_pose)
    np.testing.assert_array_equal(copied.image(10), original.image(10))
    assert copied.instructions == original.instructions
    assert not list((tmp_path / "demos").rglob("*_depth"))
    assert collect_demos(settings, tmp_path / "demos") == [row]  # a second run finds its own files


def test_a_task_without_recordings_is_named_with_those_there_are(source):
    with pytest.raises(EpisodeError, match=r"no episodes of reach_target.*pick_up_cup"):
        choose_recorded({"reach_target": 1}, source)


def test_an_empty_folder_is_said_to_hold_nothing(tmp_path):
    with pytest.raises(EpisodeError, match="nothing"):
        choose_recorded({"reach_target": 1}, tmp_path)


def test_a_cut_png_is_named_and_its_episode_not_copied(source, tmp_path):
    image = source / "pick_up_cup/variation0/episodes/episode1/front_rgb/10.png"
    image.write_bytes(image.read_bytes()[:200])
    with pytest.raises(EpisodeError, match=r"episode1.front_rgb.10\.png"):
        copy_recorded(choose_recorded({"pick_up_cup": 3}, source), tmp_path / "demos")
    assert not (tmp_path / "demos/pick_up_cup/variation0/episodes/episode1").exists()


def test_a_damaged_pickle_is_named(source, tmp_path):
    path = source / "pick_up_cup/variation0/episodes/episode0/low_dim_obs.pkl"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(EpisodeError, match=r"episode0.low_dim_obs\.pkl"):
        copy_recorded(choose_recorded({"pick_up_cup": 1}, source), tmp_path / "demos")


def test_an_episode_without_front_images_is_named(make_episode, tmp_path):
    make_episode(root=tmp_path / "source", images={})
    with pytest.raises(EpisodeError, match=r"front_rgb: no images"):
        copy_recorded(choose_recorded({"pick_up_cup": 1}, tmp_path / "source"), tmp_path / "demos")


@pytest.mark.filterwarnings("ignore:.*not a list of sentences")  # RLBench's own slip in its test data
def test_a_real_recording(recordings, tmp_path):
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(recordings), train_tasks=["reach_target"])
    (row,) = collect_demos(settings, tmp_path / "demos")
    episode = read_episode(tmp_path / "demos/reach_target/variation0/episodes/episode0")
    assert row.task == "reach_target"
    assert row.demos == 1
    assert len(episode.frames) == len(episode) == row.longest


@pytest.mark.parametrize("place", [".", "pick_up_cup"])
def test_recordings_are_never_the_folder_that_is_written(source, place):
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(source))
    with pytest.raises(CollectionError, match="must not be the folder"):
        collect_demos(settings, source / place)
    assert (source / "pick_up_cup/variation0/episodes/episode0/low_dim_obs.pkl").exists()


def test_nothing_is_removed_when_the_new_source_lacks_a_task(source, tmp_path):
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(source))
    collect_demos(settings, tmp_path / "demos")
    with pytest.raises(EpisodeError):
        collect_demos(dataclasses.replace(settings, train_tasks=["reach_target"]), tmp_path / "demos")
    assert (tmp_path / "demos/pick_up_cup/variation0/episodes/episode1/low_dim_obs.pkl").exists()
