import json

import numpy as np
import pytest

from robotr1.demos.tabletop import panda as module

SQUARE = """v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0.25 0.75
vt 0.75 0.25
f 1/1/1 2/1/1 3/1/1 4/1/1
f 1/2/1 3/2/1 4/2/1
"""


def test_polygons_become_triangles_and_split_by_the_palettes_colors():
    vertices, faces, coordinates = module.read_obj(SQUARE)
    assert vertices.shape == (4, 3)
    assert faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 2, 3]]
    palette = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)
    parts = module.split_by_color(faces, coordinates, palette)
    assert {color: len(part) for color, part in parts.items()} == {(255, 0, 0): 2, (9, 9, 9): 1}


def test_decimation_keeps_a_share_of_a_sphere_and_its_size():
    points, faces = _sphere(60, 40)
    vertices, triangles = module.decimate(points, faces)
    assert len(triangles) == pytest.approx(module.KEPT_SHARE * len(faces), rel=0.05)
    np.testing.assert_allclose(np.linalg.norm(vertices, axis=1), 1, atol=0.03)


def test_decimation_leaves_small_parts_whole_and_drops_unused_vertices():
    points, faces = _sphere(60, 40)
    vertices, triangles = module.decimate(points, faces[:30])
    assert len(triangles) == 30
    assert len(vertices) == len(np.unique(faces[:30]))


def test_meshes_are_written_without_negative_zeros(tmp_path):
    module.write_obj(tmp_path / "m.obj", np.array([[-1e-9, 0.5, 1], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]]))
    assert (tmp_path / "m.obj").read_text().splitlines()[0] == "v 0.00000 0.50000 1.00000"


def test_a_tampered_wheel_is_refused_by_name_and_nothing_is_written(tmp_path):
    wheel = tmp_path / module.WHEEL
    wheel.write_bytes(b"not the wheel")
    with pytest.raises(
        module.PandaError, match=r"sha256 is [0-9a-f]{64}, expected 320688.*Fix: delete the file"
    ) as error:
        module.fetch_panda(wheel, tmp_path / "panda")
    assert str(wheel) in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == [module.WHEEL]


def test_a_missing_wheel_is_named(tmp_path):
    with pytest.raises(module.PandaError, match=r"gone\.whl: no such file"):
        module.fetch_panda(tmp_path / "gone.whl", tmp_path / "panda")


def test_without_a_network_the_error_says_what_to_do(tmp_path, monkeypatch):
    for name, value in {"INDEX_URL": "http://127.0.0.1:9/simple", "RETRIES": "0", "NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    kept = tmp_path / "panda"
    kept.mkdir()
    (kept / "panda.json").write_text("{}")
    with pytest.raises(module.PandaError, match=r"could not download dm-robotics-panda==0\.4\.8.*\nFix: connect"):
        module.fetch_panda(folder=kept)
    assert (kept / "panda.json").read_text() == "{}"


def test_the_assets_are_light_complete_and_carry_their_licence(panda):
    description = json.loads((panda / "panda.json").read_text())
    meshes = {part["mesh"] for part in description["parts"]}
    assert meshes == {path.name for path in panda.glob("*.obj")}
    faces = sum(line.startswith("f ") for mesh in meshes for line in (panda / mesh).read_text().splitlines())
    assert 12_000 < faces < 20_000
    assert "Apache License" in (panda / "LICENSE").read_text()
    assert "Franka Emika" in (panda / "NOTICE").read_text()


def _sphere(columns, rows):
    longitude, latitude = np.meshgrid(np.arange(columns), np.arange(rows))
    around, up = 2 * np.pi * longitude / columns, np.pi * ((latitude + 0.5) / rows - 0.5)
    points = np.stack([np.cos(around) * np.cos(up), np.sin(around) * np.cos(up), np.sin(up)], -1).reshape(-1, 3)
    faces = []
    for row in range(rows - 1):
        for column in range(columns):
            a, b = row * columns + column, row * columns + (column + 1) % columns
            faces += [[a, b, a + columns], [b, b + columns, a + columns]]
    return points, np.array(faces)
