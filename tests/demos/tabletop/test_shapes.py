import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from robotr1.demos.tabletop.shapes import prism


def polygon_area(outline: np.ndarray) -> float:
    x, y = outline.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


@given(
    radii=st.lists(st.floats(0.2, 1.0), min_size=3, max_size=24),
    height=st.floats(0.01, 2.0),
)
def test_a_prism_is_closed_and_faces_outward(radii, height):
    """The signed volume of a closed, outward mesh is base area times height; notched outlines included."""
    angle = 2 * np.pi * np.arange(len(radii)) / len(radii)
    outline = np.array(radii)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices, faces = prism(outline, height)
    assert len(faces) == 2 * (len(radii) - 2) + 2 * len(radii)
    a, b, c = vertices[faces].swapaxes(0, 1)
    volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6
    np.testing.assert_allclose(volume, polygon_area(outline) * height, rtol=1e-6)
    np.testing.assert_allclose(np.cross(b - a, c - a).sum(axis=0), 0, atol=1e-9)
    assert vertices[:, 2].min() == 0.0
    assert vertices[:, 2].max() == height


def test_a_crescent_needs_no_point_that_sees_all_corners():
    turn = np.linspace(0.6, 2 * np.pi - 0.6, 20)
    outer = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    back = np.linspace(-0.9 * np.pi, -1.1 * np.pi, 9)
    inner = np.stack([0.95 + 0.6 * np.cos(back), 0.6 * np.sin(back)], axis=1)
    outline = np.concatenate([outer, inner])
    vertices, faces = prism(outline, 1.0)
    a, b, c = vertices[faces].swapaxes(0, 1)
    np.testing.assert_allclose(np.einsum("ij,ij->", a, np.cross(b, c)) / 6, polygon_area(outline), rtol=1e-6)
