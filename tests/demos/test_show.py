"""Film strips of one small demonstration."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from robotr1.demos import show
from robotr1.demos.episode import read_episode
from robotr1.demos.tabletop.episodes import collect_episode


@pytest.fixture(scope="module")
def episode(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    return read_episode(collect_episode("push_button", 0, folder, image_size=64, frame_interval=10, seed=0))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_all_waypoints_are_shown_in_as_many_rows_as_it_takes(episode):
    keyframes = [10, 20, 30, 40, len(episode) - 1]
    figure = show.waypoint_strips([(episode, keyframes), (episode, keyframes[:2])], columns=4)
    assert len(figure.axes) == 3 * 4
    assert [len(ax.images) for ax in figure.axes] == [1] * 6 + [0] * 2 + [1] * 3 + [0]
    assert [words(ax) for ax in figure.axes[1:6]] == [["1"], ["2"], ["3"], ["4"], ["5"]]
    rings = [sum(line.get_marker() == "o" for line in ax.lines) for ax in figure.axes[1:6]]
    assert rings == [1, 1, 1, 1, 0], "the last waypoint has no next one"
    assert figure.axes[0].get_title(loc="left").startswith("push_button")


def test_waypoints_on_top_of_each_other_share_a_mark(episode):
    _, ax = plt.subplots()
    last = len(episode) - 1
    show.number_waypoints(ax, episode, [last, 20, last])
    assert words(ax) == ["1,3", "2"]


def test_two_worlds_show_the_same_frames(episode):
    class Scene:
        seen = []

        def set_arm(self, joints):
            self.seen.append(joints)

        def set_gripper(self, opened):
            pass

        def render(self):
            return np.zeros((64, 64, 3), np.uint8)

    figure = show.side_by_side(episode, Scene(), [0, 20])
    assert [ax.get_title() for ax in figure.axes] == ["RLBench, frame 0", "frame 20", "tabletop", ""]
    assert np.array_equal(Scene.seen, episode.joint_positions[[0, 20]])
    cross = figure.axes[1].lines[0].get_xydata()[0]
    assert np.allclose(cross, episode.project(episode.gripper_pose[20, :3])[0])
