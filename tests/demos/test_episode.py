"""Reading and writing episode folders: the real recording, RLBench's older formats, and broken files."""

import contextlib
import io
import os
import pickle
import subprocess
import sys
import tracemalloc
import types
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pickles import edit_pickle

from robotr1.demos import images
from robotr1.demos.episode import Camera, EpisodeError, list_episodes, read_episode, write_episode
from robotr1.demos.unpickle import load_pickle

FIELDS_2019 = {
    "gripper_pose": "end_effector_pose",
    "gripper_open": "end_effector_open",
    "joint_positions": "joint_angles",
}


LONG = b"\xff\xff\xff\x7f"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR"
FLOATS = b"cnumpy\ndtype\n(X\x02\x00\x00\x00f8\x89\x88tR"
HOSTILE = {
    "pip.main": b"cpip\nmain\n(]X\x07\x00\x00\x00installatR.",
    "a chain of getattr": b"cbuiltins\ngetattr\n(cnumpy\nndarray\nX\x09\x00\x00\x00__class__tR.",
    "reduce within reduce": b"\x80\x04crlbench.demo\nDemo\n)\x81}X\x01\x00\x00\x00x"
    b"cbuiltins\neval\n(cos\ngetcwd\n)RtRsb.",
    "a name with dots": b"\x80\x04\x8c\x0crlbench.demo\x8c\x0dDemo.__init__\x93.",
    "a class as a method": b"crlbench.demo\nDemo\n)\x81}X\x0c\x00\x00\x00__setstate__cnumpy\ndtype\nsb}b"
    b"cos\nsystem\n.",
    "the table of memories": b"\x80\x03Nr" + LONG + b"p2147483647\n",
    "long bytes": b"\x80\x03B" + LONG,
    "long bytearray": b"\x80\x05\x96\xff\xff\xff\xff\x0f\x00\x00\x00.",
    "a long frame": b"\x80\x04\x95\xff\xff\xff\xff\xff\x00\x00\x00.",
    "numpy.ndarray of a terabyte": b"cnumpy\nndarray\n(\x8a\x06\x00\x00\x00\x00\x00\x01tR.",
    "array of a terabyte": b"\x80\x03" + ARRAY + b"(K\x01(\x8a\x06\x00\x00\x00\x00\x00\x01t" + FLOATS + b"\x89C\x00tb.",
    "array of 2^64 numbers": b"\x80\x03" + ARRAY + b"(K\x01(\x8a\x05\x00\x00\x00\x00\x01\x8a\x05\x00\x00\x00\x00\x01t"
    + FLOATS + b"\x89C\x00tb.",
    "array of objects": b"\x80\x03cnumpy\ndtype\n(X\x02\x00\x00\x00O8\x89\x88tR.",
    "a key that is a tower of tuples": b"\x80\x03}K\x00" + b"q\x00h\x00\x86" * 60 + b"K\x01s.",
    "a set": b"\x80\x04\x8f(K\x00\x90.",
    "a registered extension": b"\x80\x02\x82\x01.",
    "a persistent id": b"Pid\n.",
}  # fmt: skip


class TestRealRecording:
    def test_reads(self, real_folder):
        with pytest.warns(UserWarning, match="Observation, not a list of sentences"):
            episode = read_episode(real_folder)
        assert (episode.task, episode.variation, episode.episode, len(episode)) == ("reach_target", 0, 0, 70)
        assert episode.instructions == ["reach target"]
        assert episode.frames == list(range(70))  # 10.png after 9.png
        assert episode.image(69).shape == (128, 128, 3)
        assert episode.gripper_pose.shape == episode.gripper_pose[:, :7].shape == (70, 7)
        assert episode.joint_positions.shape == episode.joint_velocities.shape == (70, 7)
        assert set(episode.gripper_open) == {1.0}
        assert np.linalg.norm(episode.gripper_pose[0, :3] - episode.gripper_pose[-1, :3]) > 0.3
        np.testing.assert_allclose(np.linalg.norm(episode.gripper_pose[:, 3:], axis=1), 1, atol=1e-6)

    @pytest.mark.filterwarnings("ignore::UserWarning")
    def test_camera_sees_the_target_where_the_tip_arrives(self, real_folder):
        episode = read_episode(real_folder)
        intrinsics, extrinsics = episode.camera()
        assert intrinsics[0, 0] == pytest.approx(-175.8386, abs=1e-3)
        np.testing.assert_allclose(extrinsics[:3, 3], [1.35, 0, 1.58], atol=1e-5)
        for camera in ("left_shoulder", "right_shoulder", "overhead", "wrist"):
            assert episode.camera(camera, 5)[1].shape == (4, 4)
        target = episode.task_low_dim_state[0]
        (tip_u, tip_v), (u, v) = episode.project([episode.gripper_pose[-1, :3], target])
        assert abs(tip_u - u) < 1
        assert abs(tip_v - v) < 1
        with pytest.raises(EpisodeError, match="no side camera"):
            episode.camera("side")
        with pytest.raises(EpisodeError, match="frames run from 0 to 69"):
            episode.camera("front", 70)

    @pytest.mark.filterwarnings("ignore::UserWarning")
    def test_survives_being_written_again(self, real_folder, tmp_path):
        episode = read_episode(real_folder)
        intrinsics, extrinsics = episode.camera()
        copy = write_episode(
            tmp_path / "reach_target/variation0/episodes/episode0",
            instructions=["reach the target"],
            gripper_pose=episode.gripper_pose,
            gripper_open=episode.gripper_open,
            joint_positions=episode.joint_positions,
            joint_velocities=episode.joint_velocities,
            cameras={"front": Camera(intrinsics, extrinsics)},
            images={"front_rgb": {frame: episode.image(frame) for frame in (0, 69)}},
        )
        again = read_episode(copy)
        np.testing.assert_array_equal(again.gripper_pose, episode.gripper_pose)
        np.testing.assert_array_equal(again.image(69), episode.image(69))
        np.testing.assert_array_equal(again.camera()[1], extrinsics)
        recorded, ours = (load_pickle(f / "low_dim_obs.pkl")._observations[3] for f in (real_folder, copy))
        assert set(vars(recorded)) == set(vars(ours))
        np.testing.assert_allclose(ours.gripper_matrix, recorded.gripper_matrix, atol=1e-6)
        assert isinstance(ours.gripper_pose, np.ndarray)
        assert type(ours.gripper_open) is float


class TestFormats:
    def test_written_episode_reads_back(self, make_episode):
        episode = read_episode(make_episode(variation=3, episode=11))
        assert (episode.task, episode.variation, episode.episode) == ("pick_up_cup", 3, 11)
        assert episode.instructions == ["pick up the red cup", "lift the red cup"]
        assert episode.frames == [0, 10, 20]
        assert episode.gripper_open.tolist() == [1.0] * 12 + [0.0] * 12

    def test_same_input_gives_the_same_bytes(self, make_episode, tmp_path):
        files = []
        for root in (tmp_path / "one", tmp_path / "two", tmp_path / "two"):  # the last one replaces the second
            folder = make_episode(root=root)
            files.append({p.relative_to(root): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()})
        assert files[0] == files[1] == files[2]
        assert len(files[0]) == 5
        assert not [p for p in folder.parent.iterdir() if p.name != "episode0"]

    def test_rlbench_and_old_numpy_can_load_what_is_written(self, make_episode):
        data = (make_episode() / "low_dim_obs.pkl").read_bytes()
        assert b"numpy._core" not in data
        assert b"robotr1" not in data
        demo, observation = types.ModuleType("rlbench.demo"), types.ModuleType("rlbench.backend.observation")
        demo.Demo = type("Demo", (), {"__len__": lambda self: len(self._observations)})
        observation.Observation = type("Observation", (), {})
        modules = {"rlbench.demo": demo, "rlbench.backend.observation": observation}
        before = dict(sys.modules)
        sys.modules.update(modules, **{"rlbench": types.ModuleType("rlbench")})
        sys.modules["rlbench.backend"] = types.ModuleType("rlbench.backend")
        try:
            loaded = pickle.load(io.BytesIO(data))
        finally:
            sys.modules.clear()
            sys.modules.update(before)
        assert len(loaded) == 24
        assert type(loaded._observations[0]) is observation.Observation

    def test_2020_without_misc_reads_but_has_no_camera(self, make_episode):
        folder = make_episode()

        def older(observations):
            for observation in observations:
                for name in [name for name in vars(observation) if name.startswith(("misc", "overhead", "gripper_m"))]:
                    delattr(observation, name)

        edit_pickle(folder, older)
        episode = read_episode(folder)
        assert len(episode) == 24
        with pytest.raises(EpisodeError, match="RLBench 1.1"):
            episode.camera()

    def test_2019_bare_list_with_other_names(self, make_episode):
        folder = make_episode()
        expected = read_episode(folder)

        def oldest(observations):
            for observation in observations:
                observation.misc = None
                for ours, theirs in FIELDS_2019.items():
                    value = vars(observation).pop(ours)
                    setattr(observation, theirs, value.tolist() if isinstance(value, np.ndarray) else value)
            return observations

        edit_pickle(folder, oldest)
        episode = read_episode(folder)
        np.testing.assert_array_equal(episode.gripper_pose, expected.gripper_pose)
        np.testing.assert_array_equal(episode.joint_positions, expected.joint_positions)
        np.testing.assert_array_equal(episode.gripper_open, expected.gripper_open)

    def test_peract_keeps_descriptions_in_the_episode(self, make_episode, tmp_path):
        folder = make_episode(variation=0)
        place = tmp_path / "peract/pick_up_cup/all_variations/episodes/episode4"
        place.parent.mkdir(parents=True)
        folder.rename(place)
        (place / "variation_number.pkl").write_bytes(pickle.dumps(7))
        (place / "variation_descriptions.pkl").write_bytes(pickle.dumps(["grasp the blue cup"]))
        episode = read_episode(place)
        assert (episode.variation, episode.episode, episode.instructions) == (7, 4, ["grasp the blue cup"])
        (place / "variation_number.pkl").unlink()
        assert read_episode(place).variation == 0  # from RLBench 1.2's misc
        assert list_episodes(tmp_path / "peract") == [place]

    @pytest.mark.parametrize("content", [None, [], "pick", [3], {"a": 1}, ["", "x"]])
    def test_wrong_descriptions_give_a_warning_and_the_name_of_the_task(self, make_episode, content):
        folder = make_episode(task="put_rubbish_in_bin")
        path = folder.parents[1] / "variation_descriptions.pkl"
        path.write_bytes(pickle.dumps(content))
        with pytest.warns(UserWarning, match="variation_descriptions.pkl"):
            assert read_episode(folder).instructions == ["put rubbish in bin"]
        path.unlink()
        with pytest.warns(UserWarning, match="not found"):
            assert read_episode(folder).instructions == ["put rubbish in bin"]

    def test_list_is_sorted_by_number(self, make_episode, tmp_path):
        made = [make_episode(variation=v, episode=e) for v, e in [(10, 0), (2, 10), (2, 9), (0, 1)]]
        assert list_episodes(tmp_path / "demos") == [made[3], made[2], made[1], made[0]]
        assert list_episodes(tmp_path / "nothing") == []


class TestBrokenInput:
    @pytest.mark.parametrize(
        "callable_",
        [os.system, eval, exec, print, getattr, np.load, subprocess.Popen, pickle.loads],
        ids=lambda function: function.__name__,
    )
    def test_hostile_pickles_are_refused_unrun(self, make_episode, tmp_path, callable_):
        class Hostile:
            def __reduce__(self):
                return callable_, (f"touch {tmp_path}/ran",)

        for path in (
            make_episode() / "low_dim_obs.pkl",
            tmp_path / "demos/pick_up_cup/variation0/variation_descriptions.pkl",
        ):
            for protocol in range(6):
                path.write_bytes(pickle.dumps([Hostile()], protocol=protocol))
                with pytest.raises(EpisodeError, match=f"{path.name}: refused.*{callable_.__name__}"):
                    load_pickle(path)
        with pytest.raises(EpisodeError, match="refused"):
            read_episode(tmp_path / "demos/pick_up_cup/variation0/episodes/episode0")
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize(
        "name",
        [
            b"cnumpy\nsave\n.",
            b"crlbench.demo\nos\n.",
            b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
            b"cbuiltins\n__import__\n.",
        ],
    )
    def test_neighbours_of_the_allow_list_are_refused(self, tmp_path, name):
        (tmp_path / "x.pkl").write_bytes(name)
        with pytest.raises(EpisodeError, match="refused"):
            load_pickle(tmp_path / "x.pkl")

    @pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
    def test_hostile_pickles_end_at_once_and_take_no_memory(self, tmp_path, data):
        (tmp_path / "x.pkl").write_bytes(data)
        tracemalloc.start()
        try:
            with pytest.raises(EpisodeError, match=r"x\.pkl: (refused|not a readable pickle)"):
                load_pickle(tmp_path / "x.pkl")
            assert tracemalloc.get_traced_memory()[1] < 2**22
        finally:
            tracemalloc.stop()

    def test_an_array_as_large_as_its_bytes_is_taken(self, tmp_path):
        number = np.array([1.5]).tobytes()
        (tmp_path / "x.pkl").write_bytes(
            b"\x80\x03" + ARRAY + b"(K\x01(K\x01t" + FLOATS + b"\x89C\x08" + number + b"tb."
        )
        np.testing.assert_array_equal(load_pickle(tmp_path / "x.pkl"), [1.5])

    def test_lists_shared_in_lists_are_not_unfolded(self, make_episode):
        bomb = [0.0] * 7
        for _ in range(20):
            bomb = [bomb] * 7  # 7^21 numbers, in a few hundred bytes
        folder = make_episode(task_low_dim_state=np.zeros((24, 3)))
        for name in ("task_low_dim_state", "gripper_pose"):
            edit_pickle(folder, lambda observations, name=name: setattr(observations[0], name, bomb))
            with pytest.raises(EpisodeError, match=rf"frame 0: {name}"):
                read_episode(folder)

    @given(scale=st.floats(0, 3), axis=arrays(np.float64, 4, elements=st.floats(-1, 1)).filter(lambda q: q @ q > 0.01))
    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_only_unit_quaternions_are_rotations(self, make_episode, scale, axis):
        poses = np.tile([0.3, 0, 1, 0, 1, 0, 0.0], (24, 1))
        poses[7, 3:] = scale * axis / np.linalg.norm(axis)
        folder = make_episode(gripper_pose=poses)
        if abs(scale - 1) < 0.0099:
            assert len(read_episode(folder)) == 24
        elif abs(scale - 1) > 0.0101:
            with pytest.raises(EpisodeError, match="frame 7.*unit quaternion"):
                read_episode(folder)

    @pytest.mark.parametrize("name", [b"rlbench.demo\nDemo", b"numpy\ndtype", b"numpy.core.multiarray\n_reconstruct"])
    def test_a_pickle_cannot_alter_the_stand_ins(self, tmp_path, name):
        path = tmp_path / "x.pkl"
        path.write_bytes(b"\x80\x02c" + name + b"\nN}X\x04\x00\x00\x00evilK\x01s\x86b.")
        with pytest.raises(EpisodeError, match="attributes for a"):
            load_pickle(path)
        path.write_bytes(b"c" + name + b"\n.")
        assert not hasattr(load_pickle(path), "evil")

    def test_truncated_pickle(self, make_episode):
        folder = make_episode()
        path = folder / "low_dim_obs.pkl"
        data = path.read_bytes()
        for size in (0, 1, 10, len(data) // 2, len(data) - 1):
            path.write_bytes(data[:size])
            with pytest.raises(EpisodeError, match="low_dim_obs.pkl: not a readable pickle"):
                read_episode(folder)
        path.unlink()
        with pytest.raises(EpisodeError, match="low_dim_obs.pkl: file not found"):
            read_episode(folder)

    @given(data=st.binary(max_size=200))
    @settings(max_examples=200)
    def test_random_bytes_never_escape_as_another_error(self, data, tmp_path_factory):
        path = tmp_path_factory.getbasetemp() / "random.pkl"
        path.write_bytes(data)
        with contextlib.suppress(EpisodeError):
            load_pickle(path)

    def test_missing_and_truncated_images(self, make_episode):
        folder = make_episode()
        episode = read_episode(folder)
        with pytest.raises(EpisodeError, match=r"front_rgb.5\.png: no such image"):
            episode.image(5)
        with pytest.raises(EpisodeError, match=r"overhead_rgb.0\.png: no such image"):
            episode.image(0, "overhead")
        path = folder / "front_rgb/10.png"
        data = path.read_bytes()
        for size in (0, 4, 60, len(data) // 2):
            path.write_bytes(data[:size])
            with pytest.raises(EpisodeError, match=r"10\.png: not a readable PNG"):
                episode.image(10)

    def test_pixels_that_claim_two_gigabytes_take_no_memory(self, make_episode):
        folder = make_episode()
        path = folder / "front_rgb/10.png"
        head, name, rest = path.read_bytes().partition(b"IDAT")
        path.write_bytes(head[:-4] + (2**31 - 1).to_bytes(4, "big") + name + rest)
        episode = read_episode(folder)
        tracemalloc.start()
        try:
            with contextlib.suppress(EpisodeError):
                episode.image(10)
            assert tracemalloc.get_traced_memory()[1] < 50e6
        finally:
            tracemalloc.stop()

    def test_image_beyond_the_end(self, make_episode):
        folder = make_episode()
        (folder / "front_rgb/20.png").rename(folder / "front_rgb/24.png")
        with pytest.raises(EpisodeError, match=r"24\.png, but low_dim_obs.pkl holds 24 frames"):
            read_episode(folder)

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("gripper_pose", np.full(7, np.nan), "frame 2: gripper_pose is not a finite"),
            ("gripper_pose", np.zeros(6), r"frame 2: gripper_pose must be \(7,\)"),
            ("joint_velocities", None, "frame 2 has no joint_velocities"),
            ("joint_velocities", np.full(7, np.inf), "not a finite"),
            ("gripper_open", "open", "frame 2: gripper_open"),
            ("gripper_open", [1.0], "must be one number"),
            ("task_low_dim_state", np.full(3, np.nan), "task_low_dim_state is not a finite"),
        ],
    )
    def test_bad_numbers_name_the_frame(self, make_episode, field, value, message):
        folder = make_episode(task_low_dim_state=np.zeros((24, 3)))
        edit_pickle(folder, lambda observations: setattr(observations[2], field, value))
        with pytest.raises(EpisodeError, match=message):
            read_episode(folder)

    @pytest.mark.parametrize("content", [[], {}, None, 3, "text"])
    def test_pickle_of_something_else(self, make_episode, content):
        folder = make_episode()
        (folder / "low_dim_obs.pkl").write_bytes(pickle.dumps(content))
        with pytest.raises(EpisodeError, match="no list of observations"):
            read_episode(folder)

    def test_folder_with_another_name(self, tmp_path):
        with pytest.raises(EpisodeError, match="not an RLBench episode"):
            read_episode(tmp_path / "episode0")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"joint_velocities": np.zeros((23, 7))}, r"joint_velocities must have shape \[24, 7\]"),
            ({"gripper_open": np.full(24, np.nan)}, "gripper_open holds a number that is not finite"),
            ({"images": {"front_rgb": {24: np.zeros((8, 8, 3), np.uint8)}}}, "image for frame 24"),
            ({"images": {"front_rgb": {0: np.zeros((8, 8, 3))}}}, "must be uint8"),
            ({"instructions": []}, "one or more sentences"),
            ({"cameras": {"front": Camera(np.eye(4), np.eye(4))}}, "front camera's intrinsics"),
        ],
    )
    def test_what_does_not_fit_is_not_written(self, make_episode, tmp_path, change, message):
        with pytest.raises(EpisodeError, match=message):
            make_episode(**change)
        assert not list(tmp_path.rglob("*.p*"))

    def test_episodes_of_a_variation_share_their_instructions(self, make_episode):
        make_episode(episode=0)
        make_episode(episode=1)
        with pytest.raises(EpisodeError, match="other instructions"):
            make_episode(episode=2, instructions=["something else"])

    def test_good_input_gives_no_warning(self, make_episode):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read_episode(make_episode())


class TestImages:
    @given(arrays(np.float64, (3, 4), elements=st.floats(0.01, 4.5)))
    def test_depth_round_trip(self, metres):
        back = images.decode_depth(images.encode_depth(metres, 0.01, 4.5), 0.01, 4.5)
        np.testing.assert_allclose(back, metres, atol=4.49 / 2**24)

    @given(arrays(np.int64, (3, 4), elements=st.integers(0, 2**24 - 1)))
    def test_mask_round_trip(self, ids):
        np.testing.assert_array_equal(images.decode_mask(images.encode_mask(ids)), ids)

    def test_mask_ids_out_of_range(self):
        with pytest.raises(ValueError, match="mask ids"):
            images.encode_mask([[2**24]])

    def test_encodings_are_rlbench_s(self):
        assert images.encode_depth([[0.01, 4.5]], 0.01, 4.5).tolist() == [[[0, 0, 0], [255, 255, 255]]]
        assert images.encode_depth([[0.5]], 0.0, 1.0).tolist() == [[[128, 0, 0]]]  # R is the high byte
        assert images.encode_mask([[48, 300]]).tolist() == [[[48, 0, 0], [44, 1, 0]]]  # R is the low byte

    def test_episode_reads_depth_and_masks(self, make_episode):
        metres, ids = np.full((32, 32), 1.25), np.full((32, 32), 300)
        folder = make_episode(
            images={
                "front_rgb": {0: np.zeros((32, 32, 3), np.uint8)},
                "front_depth": {0: images.encode_depth(metres, 0.01, 4.5)},
                "front_mask": {0: images.encode_mask(ids)},
            }
        )
        episode = read_episode(folder)
        np.testing.assert_allclose(episode.depth(0), metres, atol=1e-6)
        np.testing.assert_array_equal(episode.mask(0), ids)

    def test_points_behind_the_camera_have_no_pixel(self):
        intrinsics = np.array([[-10.0, 0, 8], [0, -10.0, 8], [0, 0, 1]])
        pixels = images.project([[0, 0, 1], [0, 0, -1], [1, 0, 2]], intrinsics, np.eye(4))
        np.testing.assert_allclose(pixels[[0, 2]], [[8, 8], [3, 8]])  # x points left
        assert np.isnan(pixels[1]).all()
