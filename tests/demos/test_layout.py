"""Names of folders and image files."""

import shutil

import numpy as np
import pytest

from robotr1.demos.episode import read_episode
from robotr1.demos.layout import EpisodeError, frame_files


def rename(folder, pattern):
    for path in list(folder.glob("*.png")):
        path.rename(folder / pattern.format(int(path.stem)))


@pytest.mark.parametrize("pattern", ["{}.png", "rgb_{:04d}.png", "{:05d}.png", "frame_{}.png"])
def test_frames_are_found_under_the_names_of_every_recorder(make_episode, pattern):
    folder = make_episode()
    before = read_episode(folder)
    images = [before.image(frame) for frame in before.frames]
    rename(folder / "front_rgb", pattern)
    after = read_episode(folder)
    assert after.frames == before.frames == [0, 10, 20]
    for frame, image in zip(after.frames, images):
        np.testing.assert_array_equal(after.image(frame), image)


def test_two_images_of_one_frame_are_refused(make_episode):
    folder = make_episode()
    shutil.copy(folder / "front_rgb/10.png", folder / "front_rgb/rgb_0010.png")
    with pytest.raises(EpisodeError, match=r"10\.png and rgb_0010\.png are both frame 10.*keep one"):
        read_episode(folder)


@pytest.mark.parametrize("pattern", ["image-{}.png", "{}_rgb.png", "{}a.png"])
def test_images_without_a_frame_number_are_named(make_episode, pattern):
    folder = make_episode()
    rename(folder / "front_rgb", pattern)
    with pytest.raises(EpisodeError, match="front_rgb: holds 3 files such as .* no PNG named by its frame"):
        read_episode(folder)


def test_images_of_another_format_are_named(make_episode):
    folder = make_episode()
    for path in (folder / "front_rgb").iterdir():
        path.rename(path.with_suffix(".jpg"))
    with pytest.raises(EpisodeError, match=r"holds 3 files such as 0\.jpg"):
        read_episode(folder)


def test_a_folder_without_files_has_no_frames(tmp_path):
    (tmp_path / ".DS_Store").write_text("")
    assert frame_files(tmp_path) == frame_files(tmp_path / "missing") == {}
