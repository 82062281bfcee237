import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.policies.inputs.images import blank_image, load_image, shuffle_images


@given(st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=20), st.integers(0, 100))
def test_shuffling_is_a_permutation_without_fixed_points(names, seed):
    other = shuffle_images(names, seed)
    assert set(other) == set(other.values()) == set(names)
    if len(other) > 1:
        assert all(key != value for key, value in other.items())
    assert other == shuffle_images(names[::-1], seed)


def test_load_image_is_rgb(questions):
    assert np.asarray(load_image(questions[0].image)).shape == (56, 56, 3)


def test_a_blank_image_has_the_size_of_the_real_one(questions):
    blank = np.asarray(blank_image(questions[0].image))
    assert blank.shape == (56, 56, 3) and (blank == 127).all()


def test_an_unreadable_image_is_named(tmp_path):
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for name in ("cut.png", "absent.png"):
        with pytest.raises(ValueError, match=f"{name}.*extract_demos"):
            load_image(str(tmp_path / name))
