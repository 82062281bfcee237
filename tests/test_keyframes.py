"""ARM's keyframe rule: what every demonstration must satisfy, its quirks by hand, and the real recording."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.demos.episode import EpisodeError, read_episode
from robotr1.keyframes import current_frames, find_keyframes, keyframes_of, next_keyframe

FAST = 0.5  # rad/s


@st.composite
def demonstrations(draw):
    length = draw(st.integers(1, 40))
    speeds = draw(st.lists(st.sampled_from([0.0, 0.05, 0.1, 0.11, 2.0]), min_size=length, max_size=length))
    gripper = draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=length, max_size=length))
    joint = draw(st.integers(0, 6))
    velocities = np.zeros((length, 7))
    velocities[:, joint] = np.array(speeds) * draw(st.sampled_from([-1, 1]))
    return velocities, np.array(gripper)


def moving(length, stops=()):
    velocities = np.full((length, 7), FAST)
    velocities[list(stops)] = 0.0
    return velocities


@given(demonstrations())
def test_keyframes_are_sorted_and_end_with_the_last_frame(demonstration):
    velocities, gripper = demonstration
    keyframes = find_keyframes(velocities, gripper)
    assert keyframes == sorted(set(keyframes))
    assert keyframes[-1:] == ([len(gripper) - 1] if len(gripper) > 1 else [])
    assert 0 not in keyframes


@given(demonstrations())
def test_every_gripper_change_counts_and_every_other_keyframe_is_a_stop(demonstration):
    velocities, gripper = demonstration
    keyframes = find_keyframes(velocities, gripper)
    last = len(gripper) - 1
    changes = {i for i in range(1, last + 1) if gripper[i] != gripper[i - 1]}
    assert changes - set(keyframes) <= {last - 1}  # only a neighbour of the end may go
    for keyframe in set(keyframes) - changes - {last}:
        assert (np.abs(velocities[keyframe]) <= 0.1).all()
        assert keyframe < last - 1
        assert len(set(gripper[keyframe - 2 : keyframe + 2])) == 1 or keyframe < 2
    assert not {last - 1, last} <= set(keyframes)


@given(demonstrations())
def test_stops_are_more_than_four_frames_apart(demonstration):
    velocities, gripper = demonstration
    stops = find_keyframes(velocities, np.ones_like(gripper))[:-1]
    assert all(later - earlier > 4 for earlier, later in zip(stops, stops[1:]))


@given(demonstrations(), st.floats(0, 3), st.floats(0, 3))
def test_only_speed_matters_not_its_sign_or_the_name_of_open(demonstration, delta, other):
    velocities, gripper = demonstration
    expected = find_keyframes(velocities, gripper, delta)
    assert find_keyframes(-velocities, gripper, delta) == expected
    assert find_keyframes(velocities, 1 - gripper, delta) == expected
    assert find_keyframes(velocities[:, ::-1], gripper > 0.5, delta) == expected


def test_moving_all_the_time_leaves_the_last_frame():
    assert find_keyframes(moving(30), np.ones(30)) == [29]


def test_pre_grasp_grasp_and_lift():
    gripper = np.ones(30)
    gripper[18:] = 0
    assert find_keyframes(moving(30, stops=[9]), gripper) == [9, 18, 29]


def test_one_joint_that_moves_is_no_stop():
    velocities = np.zeros((30, 7))
    velocities[:, 6] = 0.11
    assert find_keyframes(velocities, np.ones(30)) == [29]
    assert find_keyframes(velocities, np.ones(30), stopping_delta=0.12) != [29]


def test_the_threshold_itself_is_a_stop():
    velocities = np.where(np.arange(30)[:, None] == 10, 0.1, FAST) * np.ones(7)
    assert find_keyframes(velocities, np.ones(30)) == [10, 29]


def test_a_long_rest_counts_every_fifth_frame():
    assert find_keyframes(moving(30, stops=range(5, 18)), np.ones(30)) == [5, 10, 15, 29]


def test_a_stop_at_frame_0_starts_the_wait_without_being_a_keyframe():
    assert find_keyframes(moving(30, stops=[0, 3]), np.ones(30)) == [29]
    assert find_keyframes(moving(30, stops=[0, 5]), np.ones(30)) == [5, 29]


def test_at_the_first_frames_the_end_of_the_demo_is_looked_at():
    closed_at_the_end = np.ones(30)
    closed_at_the_end[25:] = 0
    # frame 1 looks at frames 0 and -1: it stops only where the last frame's gripper equals the first's
    assert find_keyframes(moving(30, stops=[1]), np.ones(30)) == [1, 29]
    assert find_keyframes(moving(30, stops=[1]), closed_at_the_end) == [25, 29]


def test_no_stop_beside_a_gripper_change():
    gripper = np.ones(30)
    gripper[15:] = 0
    assert find_keyframes(moving(30, stops=[14]), gripper) == [15, 29]  # i+1 differs
    assert find_keyframes(moving(30, stops=[16]), gripper) == [15, 29]  # i-2 differs
    assert find_keyframes(moving(30, stops=[17]), gripper) == [15, 17, 29]
    assert find_keyframes(moving(30, stops=[15, 18]), gripper) == [15, 18, 29]  # the change itself starts no wait


def test_no_stop_in_the_last_two_frames():
    assert find_keyframes(moving(30, stops=[28]), np.ones(30)) == [29]
    assert find_keyframes(moving(30, stops=[27]), np.ones(30)) == [27, 29]


def test_of_neighbouring_keyframes_only_the_last_pair_is_cleaned():
    gripper = np.ones(30)
    gripper[10] = 0  # closes and opens again: 10 and 11
    gripper[28:] = 0
    assert find_keyframes(moving(30), gripper) == [10, 11, 29]


def test_short_and_wrong_input():
    assert find_keyframes(np.zeros((1, 7)), [1.0]) == []
    assert find_keyframes(np.zeros((2, 7)), [1.0, 1.0]) == [1]
    with pytest.raises(ValueError, match="same T"):
        find_keyframes(np.zeros((3, 7)), [1.0, 1.0])


@given(demonstrations(), st.integers(1, 12))
def test_next_keyframe_and_current_frames(demonstration, interval):
    velocities, gripper = demonstration
    keyframes = find_keyframes(velocities, gripper)
    frames = current_frames(len(gripper), keyframes, interval)
    assert frames == [i for i in range(0, len(gripper) - 1, interval) if any(k > i for k in keyframes)]
    for frame in frames:
        following = next_keyframe(keyframes, frame)
        assert following in keyframes
        assert following > frame
        assert not [k for k in keyframes if frame < k < following]


def test_current_frames_by_hand():
    assert current_frames(31, [12, 30]) == [0, 10, 20]  # 30 is the last frame
    assert current_frames(32, [12, 20]) == [0, 10]  # nothing follows 20
    assert next_keyframe([12, 20], 12) == 20
    assert next_keyframe([12, 20], 20) is None
    with pytest.raises(ValueError, match="at least 1"):
        current_frames(10, [9], 0)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_real_recording_has_exactly_its_last_frame(real_folder):
    episode = read_episode(real_folder)
    assert find_keyframes(episode.joint_velocities, episode.gripper_open) == [69]
    (record,) = keyframes_of([episode])
    assert (record.task, record.instruction, record.length, record.keyframes) == (
        "reach_target",
        "reach target",
        70,
        [69],
    )


def test_episodes_take_the_instructions_in_turn(make_episode):
    episodes = [read_episode(make_episode(episode=number)) for number in range(3)]
    records = keyframes_of(episodes)
    assert [r.instruction for r in records] == ["pick up the red cup", "lift the red cup", "pick up the red cup"]
    assert [r.keyframes for r in records] == [[12, 23]] * 3


def test_two_episodes_of_one_task_variation_and_number_are_an_error(make_episode, tmp_path):
    episode = read_episode(make_episode())
    twin = read_episode(make_episode(root=tmp_path / "other"))
    assert len(keyframes_of([episode, episode])) == 2
    with pytest.raises(EpisodeError, match="has the task, variation and number of .*rename"):
        keyframes_of([episode, twin])
