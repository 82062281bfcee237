"""Metadata is derived from the camera, so another camera must give other words; plus files and drawing data."""

import json

import numpy as np
import pytest

from robotr1 import metadata
from robotr1.demos.episode import Camera, read_episode
from robotr1.metadata import MetadataError, design_metadata, read_metadata, write_metadata


@pytest.fixture
def designed(make_episode):
    return design_metadata([read_episode(make_episode())])


def test_front_camera_sees_the_axes_as_the_paper_says(designed):
    assert designed.axes == [
        ["toward the camera", "away from the camera"],
        ["to the right", "to the left"],
        ["up", "down"],
    ]
    assert metadata.agrees_with_labels(designed)
    assert metadata.describe_axes(designed)[1] == "The y axis is positive to the right and negative to the left."
    assert metadata.describe_reference(designed) == "The point [0.25, 0, 0.752] is the center of the table surface."
    assert "0.06 m along x, 0.2 m along y and 0.09 m along z" in metadata.describe_scale(designed)


def test_arrows_point_where_the_words_say(designed):
    arrows = metadata.axis_arrows(designed)
    x, y, z = (arrows[name][1] - arrows[name][0] for name in "xyz")  # [du, dv], v grows downward
    assert x[1] > 5 * abs(x[0])  # toward the camera is down in the image
    assert y[0] > 5 * abs(y[1])
    assert z[1] < -5 * abs(z[0])
    np.testing.assert_allclose(arrows["x"][0], arrows["z"][0])
    assert (arrows["x"][0] > 0).all()
    assert (arrows["x"][0] < designed.image_size).all()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_real_recording(real_folder):
    episode = read_episode(real_folder)
    real = design_metadata([episode])
    assert real.camera_recorded
    assert real.image_size == [128, 128]
    assert metadata.agrees_with_labels(real)
    intrinsics, extrinsics = metadata.standard_front_camera(128)
    np.testing.assert_allclose(real.intrinsics, intrinsics, atol=1e-3)
    np.testing.assert_allclose(real.extrinsics, extrinsics, atol=1e-5)
    box = metadata.scale_box(real, episode.gripper_pose[69, :3])
    (u, v), width = metadata.to_pixels(real, episode.gripper_pose[69:, :3])[0], np.ptp(box[..., 0])
    assert box[..., 1].max() < v  # the hand is above the tip
    assert abs(box[..., 0].mean() - u) < 2
    assert 20 < width < 30  # as wide as the hand in frame 69


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_other_cameras_get_other_words(real_folder):
    episode = read_episode(real_folder)
    words = {name: metadata.axis_words(episode.camera(name)[1])[0] for name in ("overhead", "left_shoulder", "wrist")}
    for (
        name
    ) in words:  # all three look from the robot's side: right and left are swapped, as the paper says of the wrist
        assert words[name][0] == ["up", "down"]
        assert words[name][1] == ["to the left", "to the right"]
        assert words[name][2] == ["toward the camera", "away from the camera"]


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("sign", [1, -1])
def test_words_follow_the_camera(axis, sign):
    rotation = np.roll(np.eye(3), axis, axis=0) * sign  # world axis `axis` is the camera's left axis, up to the sign
    words, alignment = metadata.axis_words(rotation)
    assert words[axis] == (["to the left", "to the right"] if sign > 0 else ["to the right", "to the left"])
    assert alignment == [1.0, 1.0, 1.0]


def test_mirrored_camera_disagrees_with_the_labels(make_episode):
    intrinsics, extrinsics = metadata.standard_front_camera(32)
    behind = extrinsics.copy()
    behind[:3] = np.diag([-1, -1, 1]) @ extrinsics[:3]  # half a turn about z: from the other side of the table
    designed = design_metadata([read_episode(make_episode(cameras={"front": Camera(intrinsics, behind)}))])
    assert not metadata.agrees_with_labels(designed)
    assert designed.axes[0] == ["away from the camera", "toward the camera"]


def test_a_recording_without_matrices_gets_the_standard_camera(make_episode):
    designed = design_metadata([read_episode(make_episode(cameras={}))])
    assert not designed.camera_recorded
    assert designed.image_size == [32, 32]
    assert metadata.agrees_with_labels(designed)


def test_refuses_what_does_not_belong_together(make_episode):
    with pytest.raises(MetadataError, match="no episodes"):
        design_metadata([])
    with pytest.raises(MetadataError, match="no front images"):
        design_metadata([read_episode(make_episode(images={}))])
    first = read_episode(make_episode(episode=0))
    with pytest.raises(MetadataError, match="push_button"):
        design_metadata([first, read_episode(make_episode(task="push_button"))])
    intrinsics, extrinsics = metadata.standard_front_camera(32)
    extrinsics[0, 3] += 0.01
    moved = read_episode(make_episode(episode=1, cameras={"front": Camera(intrinsics, extrinsics)}))
    with pytest.raises(MetadataError, match="camera differs"):
        design_metadata([first, moved])


def test_file_round_trip_and_errors(designed, tmp_path):
    path = tmp_path / "metadata/pick_up_cup.json"
    write_metadata(path, designed)
    assert read_metadata(path) == designed
    before = path.read_bytes()
    write_metadata(path, read_metadata(path))
    assert path.read_bytes() == before
    with pytest.raises(MetadataError, match="missing"):
        read_metadata(tmp_path / "other.json")
    content = json.loads(before)
    for broken, message in [
        ({**content, "axes": 3}, "axes"),
        ({**content, "colour": "red"}, "colour"),
        ({k: v for k, v in content.items() if k != "camera"}, "camera: missing"),
        ([], "pick_up_cup.json"),
    ]:
        path.write_text(json.dumps(broken))
        with pytest.raises(MetadataError, match=message):
            read_metadata(path)
    path.write_text("{")
    with pytest.raises(MetadataError, match="design_metadata again"):
        read_metadata(path)


def test_the_papers_constants_are_those_of_the_tabletop():
    """Reference point and axes are told to the policy; the demonstrations come from a scene that must agree."""
    from robotr1.demos.tabletop import world

    center = (np.mean(world.WORKSPACE_X), np.mean(world.WORKSPACE_Y), world.TABLE_HEIGHT)
    np.testing.assert_allclose(metadata.WORLD_ORIGIN, center, atol=0.005)


def test_brief_lines_say_the_chosen_parts_in_a_fixed_order(make_episode):
    episodes = [read_episode(make_episode())]
    lines = metadata.describe_briefly(design_metadata(episodes))
    assert lines == [
        "Axes: x toward the camera, y to the right, z up.",
        "The point [0.25, 0, 0.752] is the center of the table surface.",
        "The gripper is 0.2 m wide.",
    ]
    for place, part in enumerate(metadata.PARTS):
        assert metadata.describe_briefly(design_metadata(episodes, in_prompt=[part])) == [lines[place]]
    assert design_metadata(episodes, in_prompt=["scale", "axes"]).in_prompt == ["axes", "scale"]
    assert metadata.describe_briefly(design_metadata(episodes, in_prompt=[])) == []
    with pytest.raises(MetadataError, match="unknown part 'colour'"):
        design_metadata(episodes, in_prompt=["colour"])
