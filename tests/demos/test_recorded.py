"""Recordings as a source: copied after a check; damaged ones are left out, each with its reason."""

import dataclasses
import os
import pickle
import re
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pickles import edit_pickle
from PIL import Image
from small_settings import DEMOS

from robotr1.demos.collect import CollectionError, collect_demos
from robotr1.demos.episode import EpisodeError, list_episodes, read_episode
from robotr1.demos.recorded import copy_recorded, find_recorded

SETTINGS = dataclasses.replace(
    DEMOS, source="recorded", recorded_folder="recordings", train_tasks=["pick_up_cup"], image_size=224
)
EPISODES = "pick_up_cup/variation0/episodes"


@pytest.fixture
def source(make_episode, tmp_path):
    for episode in range(3):
        make_episode(episode=episode, root=tmp_path / "source")
    return tmp_path / "source"


@pytest.fixture
def film(make_episode, tmp_path):
    """One episode with an image of every frame: a bright square that moves."""
    images = np.full((24, 32, 32, 3), 40, dtype=np.uint8)
    for frame, image in enumerate(images):
        image[10:20, frame : frame + 8] = 220
    return make_episode(root=tmp_path / "source", images={"front_rgb": dict(enumerate(images))})


def take_in(source, output, amount=3, **options):
    demos = {"pick_up_cup": amount}
    return copy_recorded(demos, find_recorded(demos, source), output, frame_interval=10, **options)


def test_copies_the_first_episodes_without_depth_and_masks(source, tmp_path):
    for name in ("front_depth", "wrist_rgb"):
        (source / EPISODES / "episode0" / name).mkdir()
        (source / EPISODES / "episode0" / name / "0.png").write_bytes(b"")
    (source / EPISODES / "episode0/notes.txt").write_text("not RLBench's")
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(source))
    collection = collect_demos(settings, tmp_path / "demos")
    (row,) = collection.tasks
    assert (row.task, row.demos, row.attempts) == ("pick_up_cup", 2, None)
    assert collection.left_out == []
    copied = read_episode(tmp_path / "demos" / EPISODES / "episode1")
    original = read_episode(source / EPISODES / "episode1")
    np.testing.assert_array_equal(copied.gripper_pose, original.gripper_pose)
    np.testing.assert_array_equal(copied.image(10), original.image(10))
    assert copied.instructions == original.instructions
    names = {path.name for path in (tmp_path / "demos" / EPISODES / "episode0").iterdir()}
    assert names == {"low_dim_obs.pkl", "front_rgb"}
    assert collect_demos(settings, tmp_path / "demos") == collection  # a second run finds its own files


def test_depth_and_masks_and_other_cameras_come_along_on_request(source, tmp_path):
    first = source / EPISODES / "episode0"
    for camera in ("front", "wrist"):
        for kind in ("rgb", "depth", "mask"):
            (first / f"{camera}_{kind}").mkdir(exist_ok=True)
            (first / f"{camera}_{kind}" / "0.png").write_bytes((first / "front_rgb/0.png").read_bytes())
    left_out = take_in(source, tmp_path / "demos", cameras=["front", "wrist"], depth_and_masks=True)
    names = {path.name for path in (tmp_path / "demos" / EPISODES / "episode0").iterdir() if path.is_dir()}
    assert names == {f"{camera}_{kind}" for camera in ("front", "wrist") for kind in ("rgb", "depth", "mask")}
    assert [left.episode[-8:] for left in left_out] == ["episode1", "episode2"]
    assert all("no front_depth, front_mask, wrist_rgb" in left.reason for left in left_out)


def test_a_task_without_recordings_is_named_with_those_there_are(source):
    with pytest.raises(EpisodeError, match=r"no episodes of reach_target.*pick_up_cup"):
        find_recorded(["reach_target"], source)


def test_an_empty_folder_is_said_to_hold_nothing(tmp_path):
    with pytest.raises(EpisodeError, match="nothing"):
        find_recorded(["reach_target"], tmp_path)


class Hostile:
    def __reduce__(self):
        return os.system, ("true",)


def nan_pose(observations):
    observations[2].gripper_pose = np.full(7, np.nan)


def long_quaternion(observations):
    observations[2].gripper_pose = np.array([0, 0, 1, 0, 0.5, 0, 0.0])


def exchange(observations):
    observations[3], observations[20] = observations[20], observations[3]


def lose_frames(observations):
    del observations[3:9]
    observations += [observations[-1]] * 6  # as many as there are images


def half_open(observations):
    observations[4].gripper_open = 0.5


def no_frames(observations):
    del observations[:]


DAMAGE = {
    "hostile": (lambda f: (f / "low_dim_obs.pkl").write_bytes(pickle.dumps(Hostile())), "refused"),
    "cut": (lambda f: os.truncate(f / "low_dim_obs.pkl", 500), "not a readable pickle"),
    "lost": (lambda f: (f / "low_dim_obs.pkl").unlink(), "low_dim_obs.pkl: file not found"),
    "cut image": (lambda f: os.truncate(f / "front_rgb/10.png", 200), r"^front_rgb.10\.png: not a readable PNG"),
    "lost image": (lambda f: (f / "front_rgb/10.png").unlink(), r"1 of 24 images missing, such as 10\.png"),
    "lost images": (lambda f: [p.unlink() for p in (f / "front_rgb").iterdir()], "front_rgb: no images"),
    "nan": (lambda f: edit_pickle(f, nan_pose), "frame 2: gripper_pose is not a finite number"),
    "quaternion": (lambda f: edit_pickle(f, long_quaternion), "frame 2.*unit quaternion.*length 0.5"),
    "swapped": (lambda f: edit_pickle(f, exchange), "between frames 2 and 3 the arm moves.*out of order"),
    "missing": (lambda f: edit_pickle(f, lose_frames), "between frames 2 and 3 the arm moves.*missing"),
    "half open": (lambda f: edit_pickle(f, half_open), "gripper_open must be 1.0"),
    "empty": (lambda f: edit_pickle(f, no_frames), "no list of observations"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_episode_is_left_out_with_its_reason_and_the_rest_goes_on(source, tmp_path, kind):
    spoil, reason = DAMAGE[kind]
    spoil(source / EPISODES / "episode1")
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(source), demos_per_train_task=3)
    with pytest.warns(UserWarning, match=r"pick_up_cup: 2 of 3 demonstrations.*1 damaged"):
        collection = collect_demos(settings, tmp_path / "demos")
    (left,) = collection.left_out
    assert left.episode == f"{EPISODES}/episode1"
    assert re.search(reason, left.reason), left.reason
    assert sorted(path.name for path in (tmp_path / "demos" / EPISODES).iterdir()) == ["episode0", "episode2"]


def test_the_next_episode_takes_the_place_of_a_damaged_one(source, tmp_path):
    DAMAGE["cut"][0](source / EPISODES / "episode0")
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(source))
    collection = collect_demos(settings, tmp_path / "demos")
    assert collection.tasks[0].demos == 2
    assert len(collection.left_out) == 1


def test_an_episode_that_went_bad_later_does_not_stay(source, tmp_path):
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(source), demos_per_train_task=3)
    assert collect_demos(settings, tmp_path / "demos").tasks[0].demos == 3
    DAMAGE["cut"][0](source / EPISODES / "episode0")
    with pytest.warns(UserWarning, match="2 of 3"):
        assert collect_demos(settings, tmp_path / "demos").tasks[0].demos == 2


def test_nothing_usable_is_an_error_with_the_first_reason(source, tmp_path):
    for number in range(3):
        DAMAGE["cut"][0](source / EPISODES / f"episode{number}")
    with pytest.raises(EpisodeError, match=r"no recorded episode of pick_up_cup.*episode0: low_dim_obs\.pkl"):
        take_in(source, tmp_path / "demos")


def test_a_whole_film_needs_every_image(film, tmp_path):
    assert take_in(film.parents[3], tmp_path / "demos", amount=1) == []
    (film / "front_rgb/7.png").unlink()
    with pytest.raises(EpisodeError, match=r"1 of 24 images missing, such as 7\.png"):
        take_in(film.parents[3], tmp_path / "demos", amount=1)


@given(pair=st.tuples(st.integers(0, 23), st.integers(1, 22)).filter(lambda pair: abs(pair[0] - pair[1]) > 4))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_exchanged_images_are_found(film, tmp_path, pair):
    one, other = (film / f"front_rgb/{frame}.png" for frame in pair)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    try:
        with pytest.raises(EpisodeError, match="out of order"):
            take_in(film.parents[3], tmp_path / "demos", amount=1)
    finally:
        one.write_bytes(first)
        other.write_bytes(second)


@given(pair=st.tuples(st.integers(1, 68), st.integers(1, 68)).filter(lambda pair: abs(pair[0] - pair[1]) > 9))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore:.*not a list of sentences")
def test_exchanged_images_of_a_real_recording_are_found(recordings, tmp_path, pair):
    shutil.rmtree(tmp_path / "source", ignore_errors=True)
    shutil.copytree(recordings, tmp_path / "source")
    images = tmp_path / "source/reach_target/variation0/episodes/episode0/front_rgb"
    one, other = (images / f"{frame}.png" for frame in pair)
    one.rename(images / "x")
    other.rename(one)
    (images / "x").rename(other)
    found = find_recorded(["reach_target"], tmp_path / "source")
    with pytest.raises(EpisodeError, match="out of order"):
        copy_recorded({"reach_target": 1}, found, tmp_path / "demos", frame_interval=10)


@pytest.mark.filterwarnings("ignore:.*not a list of sentences")  # RLBench's own slip in its test data
def test_a_real_recording(recordings, tmp_path):
    settings = dataclasses.replace(
        SETTINGS, recorded_folder=str(recordings), train_tasks=["reach_target"], demos_per_train_task=1
    )
    collection = collect_demos(settings, tmp_path / "demos")
    (row,) = collection.tasks
    episode = read_episode(tmp_path / "demos/reach_target/variation0/episodes/episode0")
    assert (row.task, row.demos, collection.left_out) == ("reach_target", 1, [])
    assert len(episode.frames) == len(episode) == row.longest


@pytest.mark.parametrize("place", [".", "pick_up_cup"])
def test_recordings_are_never_the_folder_that_is_written(source, place):
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(source))
    with pytest.raises(CollectionError, match="must not be the folder"):
        collect_demos(settings, source / place)
    assert (source / EPISODES / "episode0/low_dim_obs.pkl").exists()


def test_nothing_is_removed_when_the_new_source_lacks_a_task(source, tmp_path):
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(source))
    collect_demos(settings, tmp_path / "demos")
    with pytest.raises(EpisodeError):
        collect_demos(dataclasses.replace(settings, train_tasks=["reach_target"]), tmp_path / "demos")
    assert (tmp_path / "demos" / EPISODES / "episode1/low_dim_obs.pkl").exists()


def test_an_episode_of_all_variations_beside_the_same_one_of_variation0_is_listed(source, make_episode, tmp_path):
    """Later stages identify an episode by task, variation and number, so a second one would be lost."""
    for number in range(2):
        twin = source / f"pick_up_cup/all_variations/episodes/episode{number}"
        shutil.copytree(source / EPISODES / f"episode{number}", twin)
        for name, value in (("variation_number", 0), ("variation_descriptions", ["pick up the cup"])):
            (twin / f"{name}.pkl").write_bytes(pickle.dumps(value))
    settings = dataclasses.replace(SETTINGS, recorded_folder=str(source), demos_per_train_task=6)
    with pytest.warns(UserWarning, match="pick_up_cup: 3 of 6 demonstrations.*2 damaged or repeated ones"):
        collection = collect_demos(settings, tmp_path / "demos")
    reasons = [left.reason for left in collection.left_out]
    assert len(reasons) == 2
    assert all("has the variation (0) and number" in reason and "all_variations or" in reason for reason in reasons)
    episodes = [read_episode(folder) for folder in list_episodes(tmp_path / "demos")]
    assert len({(episode.variation, episode.episode) for episode in episodes}) == len(episodes) == 3


def test_numbers_with_leading_zeros_are_the_same_numbers(source, tmp_path):
    shutil.copytree(source / EPISODES / "episode1", source / EPISODES / "episode01")
    left_out = take_in(source, tmp_path / "demos", amount=6)
    assert len(left_out) == 1 and "number (1)" in left_out[0].reason


def test_an_episode_that_was_left_out_frees_its_number(source, tmp_path):
    """The first of two equal numbers is damaged: the second is used."""
    shutil.copytree(source / EPISODES / "episode1", source / EPISODES / "episode01")
    (sorted((source / EPISODES).glob("episode*1"))[0] / "low_dim_obs.pkl").write_bytes(b"")
    left_out = take_in(source, tmp_path / "demos", amount=6)
    assert len(left_out) == 1 and "empty" in left_out[0].reason


def test_images_of_a_fork_are_copied_under_rlbenchs_names(source, tmp_path):
    for path in list(source.rglob("front_rgb/*.png")):
        path.rename(path.with_name(f"rgb_{int(path.stem):04d}.png"))
    assert take_in(source, tmp_path / "demos") == []
    names = {path.name for path in (tmp_path / "demos" / EPISODES / "episode0/front_rgb").iterdir()}
    assert names == {"0.png", "10.png", "20.png"}


@pytest.mark.parametrize("name", ["low_dim_obs.pkl", "front_rgb/0.png"])
def test_a_git_lfs_pointer_is_left_out_with_the_fix(source, tmp_path, name):
    (source / EPISODES / "episode0" / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (left,) = take_in(source, tmp_path / "demos")
    assert "a Git LFS pointer" in left.reason and "git lfs pull" in left.reason


def test_images_of_other_pixel_formats_are_copied_as_rgb(source, tmp_path):
    """Later stages open the copies themselves: 16-bit grey levels must not reach them, since they turn white there."""
    levels = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32)
    for path in source.rglob("front_rgb/*.png"):
        Image.fromarray(levels).save(path)
    assert take_in(source, tmp_path / "demos") == []
    with Image.open(tmp_path / "demos" / EPISODES / "episode0/front_rgb/10.png") as image:
        assert image.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(image)[..., 1], (levels / 257).round().astype(np.uint8))
