"""Collecting: the same files for any number of workers, retries counted, nothing lost and nothing kept by mistake."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pytest
from small_settings import DEMOS

from robotr1.demos import collect
from robotr1.demos.collect import CollectionError, collect_demos, prepare_folder, summarize
from robotr1.demos.episode import read_episode
from robotr1.demos.rlbench import RLBenchMissing
from robotr1.demos.tabletop import episodes
from robotr1.demos.write import CAMERAS
from robotr1.keyframes import find_keyframes
from robotr1.paths import PANDA

SETTINGS = dataclasses.replace(DEMOS, held_out_tasks=["lamp_on"], demos_per_held_out_task=1, frame_interval=30, seed=3)
needs_panda = pytest.mark.skipif(
    not (PANDA / "panda.json").exists(), reason="no Panda: run `python -m robotr1.demos.tabletop.panda`"
)


def files(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    root = tmp_path_factory.mktemp("collected") / "demos"
    return root, collect_demos(SETTINGS, root).tasks


@needs_panda
def test_writes_what_was_asked_for(collected):
    root, summary = collected
    assert [(row.task, row.demos) for row in summary] == [("lamp_on", 1), ("push_button", 2)]
    for row in summary:
        assert row.attempts == row.demos + row.failures
        assert 60 <= row.shortest <= row.frames <= row.longest <= 100
    episode = read_episode(root / "push_button/variation0/episodes/episode1")
    assert "red" in episode.instructions[0]
    keyframes = find_keyframes(episode.joint_velocities, episode.gripper_open)
    assert episode.frames == [f for f in range(len(episode)) if f % 30 == 0 or f in keyframes]
    assert episode.image(0).shape == (32, 32, 3)
    (pixel,) = episode.project(episode.gripper_pose[keyframes[0], :3])
    assert ((pixel > 0) & (pixel < 32)).all()


@needs_panda
def test_episodes_of_a_task_differ(collected):
    root, _ = collected
    first, second = (read_episode(root / f"push_button/variation0/episodes/episode{n}") for n in (0, 1))
    assert abs(first.gripper_pose[-1, :2] - second.gripper_pose[-1, :2]).max() > 0.01


@needs_panda
def test_two_workers_write_the_same_bytes_as_one(collected, tmp_path):
    root, summary = collected
    again = collect_demos(dataclasses.replace(SETTINGS, workers=2), tmp_path / "demos").tasks
    assert files(tmp_path / "demos") == files(root)
    assert again == summary


@needs_panda
def test_a_stopped_collection_goes_on_where_it_stopped(collected, tmp_path):
    root, summary = collected
    shutil.copytree(root, tmp_path / "demos")
    shutil.rmtree(tmp_path / "demos/push_button/variation0/episodes/episode1")
    kept = tmp_path / "demos/push_button/variation0/episodes/episode0/low_dim_obs.pkl"
    before = kept.stat().st_mtime_ns
    assert collect_demos(SETTINGS, tmp_path / "demos").tasks == summary
    assert files(tmp_path / "demos") == files(root)
    assert kept.stat().st_mtime_ns == before


COLLECT = """
import sys
from pathlib import Path
from robotr1.demos.collect import collect_demos
from robotr1.settings import ExtractDemos

if __name__ == "__main__":
    collect_demos(ExtractDemos(**{settings}), Path(sys.argv[1]))
"""


@needs_panda
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_whole_episodes_and_the_next_run_goes_on(collected, tmp_path, workers):
    root, summary = collected
    settings = dataclasses.replace(SETTINGS, workers=workers)
    program = tmp_path / "collect.py"
    program.write_text(COLLECT.replace("{settings}", repr(dataclasses.asdict(settings))))
    demos = tmp_path / "demos"
    # A terminal sends Ctrl-C to the program and all its workers. (A shell's background job would ignore it.)
    run = subprocess.Popen(
        [sys.executable, program, demos],
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while run.poll() is None and not list(demos.rglob("episode?/low_dim_obs.pkl")):
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert run.returncode != 0
    assert b"KeyboardInterrupt" in errors
    kept = {path: path.stat().st_mtime_ns for path in demos.rglob("episode?/low_dim_obs.pkl")}
    assert 1 <= len(kept) < 3
    assert collect_demos(settings, demos).tasks == summary
    assert files(demos) == files(root)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@needs_panda
def test_a_dask_cluster_takes_over_and_writes_the_same_bytes(collected, tmp_path):
    distributed = pytest.importorskip("distributed", reason="no Dask: pip install 'robotr1[cluster]'")
    root, summary = collected
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        with joblib.parallel_config(backend="dask"):
            assert collect_demos(SETTINGS, tmp_path / "demos").tasks == summary
        simulated = client.run(lambda: "robotr1.demos.tabletop.scene" in sys.modules)  # a lambda: sent whole
        assert len(simulated) == 2
        assert all(simulated.values())
    assert files(tmp_path / "demos") == files(root)


@needs_panda
def test_all_frames_cameras_depths_and_masks(collected, tmp_path):
    root, _ = collected
    everything = {"frames": "all", "cameras": list(CAMERAS), "depth_and_masks": True}
    settings = dataclasses.replace(SETTINGS, held_out_tasks=[], demos_per_train_task=1, **everything)
    collect_demos(settings, tmp_path / "demos")
    name = "push_button/variation0/episodes/episode0"
    episode = read_episode(tmp_path / "demos" / name)
    folders = {path.name: path for path in episode.folder.iterdir() if path.is_dir()}
    assert set(folders) == {f"{camera}_{kind}" for camera in CAMERAS for kind in ("rgb", "depth", "mask")}
    for folder in folders.values():
        assert sorted(int(path.stem) for path in folder.glob("*.png")) == list(range(len(episode)))
    for camera in CAMERAS:
        near, far = (episode.misc[0][f"{camera}_camera_{plane}"] for plane in ("near", "far"))
        assert near < episode.depth(0, camera).min() < episode.depth(0, camera).max() <= far
        assert len(np.unique(episode.mask(0, camera))) > 1
    fewer = read_episode(root / name)
    np.testing.assert_array_equal(episode.image(30), fewer.image(30))
    assert (episode.folder / "low_dim_obs.pkl").read_bytes() == (fewer.folder / "low_dim_obs.pkl").read_bytes()


@needs_panda
def test_failed_attempts_are_counted_and_never_written(collected, tmp_path, monkeypatch):
    from robotr1.demos.tabletop import expert

    calls = []

    def demonstrate(scene):
        calls.append(scene.positions()[0])
        if len(calls) < 3:
            raise expert.AttemptFailed("bad luck")
        return original(scene)

    original = expert.demonstrate
    monkeypatch.setattr(expert, "demonstrate", demonstrate)
    settings = dataclasses.replace(SETTINGS, held_out_tasks=[], demos_per_train_task=1)
    (row,) = collect_demos(settings, tmp_path / "demos").tasks
    assert (row.demos, row.attempts, row.failures) == (1, 3, 2)
    assert not (calls[0] == calls[1]).all()
    assert not (calls[1] == calls[2]).all()
    root, _ = collected
    name = "push_button/variation0/episodes/episode0/low_dim_obs.pkl"
    assert (tmp_path / "demos" / name).read_bytes() != (root / name).read_bytes()


@needs_panda
def test_gives_up_after_ten_attempts_and_says_why(tmp_path, monkeypatch):
    from robotr1.demos.tabletop import expert

    def demonstrate(scene):
        raise expert.AttemptFailed("pre-press is out of reach")

    monkeypatch.setattr(expert, "demonstrate", demonstrate)
    with pytest.raises(CollectionError, match=r"push_button, episode 0: 10 attempts failed: pre-press is out of"):
        collect_demos(SETTINGS, tmp_path / "demos")
    assert not list((tmp_path / "demos").rglob("*.png"))


def test_unknown_task_names_the_known_ones(tmp_path):
    with pytest.raises(CollectionError, match=r"no task open_fridge.*pick_up_cup"):
        collect_demos(dataclasses.replace(SETTINGS, train_tasks=["open_fridge"]), tmp_path / "demos")


def test_a_missing_robot_says_how_to_fetch_it(tmp_path, monkeypatch):
    monkeypatch.setattr(episodes, "PANDA", tmp_path)
    with pytest.raises(CollectionError, match=r"python -m robotr1\.demos\.tabletop\.panda"):
        collect_demos(SETTINGS, tmp_path / "demos")


def test_fewer_demonstrations_remove_the_surplus(make_episode, tmp_path):
    root = tmp_path / "demos"
    content = {"source": "tabletop"}
    prepare_folder(root, {}, content)
    for task, episode in (("pick_up_cup", 0), ("pick_up_cup", 1), ("push_button", 0)):
        make_episode(task=task, episode=episode, root=root)
    unfinished = root / "pick_up_cup/variation0/episodes/.episode2.abc.part"
    unfinished.mkdir()
    prepare_folder(root, {"pick_up_cup": 1}, content)
    assert [path.parent.name for path in root.rglob("low_dim_obs.pkl")] == ["episode0"]
    assert not unfinished.exists()
    assert not (root / "push_button").exists()


def test_other_settings_start_anew(make_episode, tmp_path):
    root = tmp_path / "demos"
    prepare_folder(root, {}, {"seed": 0})
    make_episode(root=root)
    prepare_folder(root, {"pick_up_cup": 1}, {"seed": 1})
    assert [path.name for path in root.iterdir()] == [collect.STAMP]


def test_never_removes_files_of_another_origin(make_episode, tmp_path):
    folder = make_episode()
    with pytest.raises(CollectionError, match=r"did not make them"):
        prepare_folder(tmp_path / "demos", {}, {"seed": 0})
    assert (folder / "low_dim_obs.pkl").exists()


def test_the_stamp_knows_what_changes_an_episode():
    content = collect.stamp(SETTINGS)
    assert (
        collect.stamp(dataclasses.replace(SETTINGS, workers=8, demos_per_train_task=9, recorded_folder="x")) == content
    )
    changes = [{"seed": 4}, {"image_size": 64}, {"frame_interval": 10}, {"source": "rlbench"}, {"frames": "all"}]
    for change in [*changes, {"cameras": ["front", "wrist"]}, {"depth_and_masks": True}]:
        assert collect.stamp(dataclasses.replace(SETTINGS, **change)) != content


def test_nothing_is_removed_when_rlbench_is_missing(make_episode, tmp_path):
    root = tmp_path / "demos"
    prepare_folder(root, {}, {"seed": 0})
    folder = make_episode(root=root)
    with pytest.raises(RLBenchMissing):
        collect_demos(dataclasses.replace(SETTINGS, source="rlbench"), root)
    assert (folder / "low_dim_obs.pkl").exists()


def test_summary_of_recordings_without_attempts(make_episode, tmp_path):
    make_episode(length=20)
    make_episode(length=30, episode=1)
    (row,) = summarize(tmp_path / "demos")
    assert (row.demos, row.attempts, row.failures) == (2, None, None)
    assert (row.shortest, row.frames, row.longest) == (20, 25.0, 30)
