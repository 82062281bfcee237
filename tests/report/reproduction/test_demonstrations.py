"""Fingerprints of demonstrations: equal states, and images up to the tolerance."""

import io

import numpy as np
import pytest
from PIL import Image

from robotr1.report.reproduction.demonstrations import FILE, fingerprints, similar_demonstrations, write_fingerprints


@pytest.fixture
def root(tmp_path, make_episode):
    for number in range(2):
        make_episode(episode=number, root=tmp_path / "data/demos")
    write_fingerprints(tmp_path)
    return tmp_path


def changed_image(root, levels):
    file = root / "data/demos/pick_up_cup/variation0/episodes/episode1/front_rgb/0.png"
    pixels = np.asarray(Image.open(file)).astype(int) + levels
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file)


def compared(root):
    return similar_demonstrations((root / FILE).read_bytes(), fingerprints(root / "data/demos"))


def test_equal_demonstrations_are_similar(root):
    assert compared(root)
    assert (root / FILE).read_text().count("\n") == 3


@pytest.mark.parametrize(("levels", "verdict"), [(1, True), (40, False)])
def test_images_may_differ_by_the_tolerance(root, levels, verdict):
    changed_image(root, levels)
    assert compared(root) == verdict


def test_states_must_be_equal(root, make_episode):
    make_episode(episode=1, gripper_open=np.zeros(24), root=root / "data/demos")
    assert not compared(root)


def test_a_missing_episode_is_a_difference(root):
    assert not similar_demonstrations((root / FILE).read_bytes(), fingerprints(root / "data/demos").iloc[:1])


def test_nothing_is_similar_to_nothing(root, tmp_path):
    assert not similar_demonstrations(None, fingerprints(root / "data/demos"))
    assert fingerprints(tmp_path / "absent").to_csv(io.StringIO(), index=False) is None
    assert fingerprints(tmp_path / "absent").empty
