"""Paired options: every set is complete, balanced and the same for any order of the episodes."""

from collections import Counter, defaultdict
from dataclasses import replace
from math import dist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.questions.answers import parse_position
from robotr1.questions.audit.seeing import nearest_to_gripper
from robotr1.questions.build import build_questions, stream_questions
from robotr1.questions.checks import BuildError, QuestionCheck, check_questions, check_set
from robotr1.questions.distractors.strategies import DistractorError
from robotr1.questions.paired import paired_sets
from robotr1.questions.prompts import LETTERS
from robotr1.questions.splits import assign_splits
from robotr1.questions.trajectory import trajectories_of
from robotr1.records import Question, RecordError, read_records, write_records
from robotr1.settings import SettingsError, check_section


@pytest.fixture(scope="module")
def trajectories(study):
    return trajectories_of(*study)


@pytest.fixture(scope="module")
def paired(settings):
    return replace(settings, distractors="paired", minimum_gap=0.05, paired_questions=120, show_state=False)


@pytest.fixture(scope="module")
def built(trajectories, paired):
    return list(stream_questions(trajectories, paired))


def sets_of(questions):
    sets = defaultdict(list)
    for question in questions:
        sets[question.set].append(question)
    return sets


def truth(question):
    return question.options[LETTERS.index(question.answer)]


def test_every_set_shares_its_options_and_each_is_right_once(built):
    for name, members in sets_of(built).items():
        assert len(members) == 4, name
        assert {frozenset(question.options) for question in members} == {frozenset(map(truth, members))}
        assert len({truth(question) for question in members}) == 4
        episodes = Counter((question.task, question.split, question.type, question.episode) for question in members)
        assert sorted(episodes.values()) == [2, 2]
        assert name.startswith(f"{members[0].task}/{members[0].split}/{members[0].type}/")


def test_sets_stay_together_and_ids_are_unique(built, paired):
    places = defaultdict(list)
    for place, question in enumerate(built):
        places[question.set].append(place)
    assert all(where == list(range(where[0], where[0] + 4)) for where in places.values())
    assert len({question.id for question in built}) == len(built)
    check = QuestionCheck(paired)
    for question in built:
        check.add(question)
    check.finish()


def test_the_training_set_has_the_size_of_the_setting(built, trajectories, paired):
    for size in (120, 400):
        made = built if size == 120 else list(stream_questions(trajectories, replace(paired, paired_questions=size)))
        counts = Counter(question.type for question in made if question.split == "train")
        assert counts == dict.fromkeys(paired.types, size)
    moments = {(q.task, q.episode, q.frame) for q in made if q.split == "train" and q.type == "state"}
    assert len(moments) < 400, "moments are used several times"


def test_moments_are_every_tenth_frame_and_the_keyframes_but_the_last(built, trajectories):
    keyframes = {one.key: one.keyframes for one in trajectories}
    frames = set()
    for question in built:
        line = keyframes[question.task, question.variation, question.episode]
        assert question.frame % 10 == 0 or question.frame in line[:-1]
        assert question.keyframe > question.frame
        frames.add(question.frame in line)
    assert frames == {True, False}


def test_positions_keep_the_gap_and_movements_differ(built, paired):
    for question in built:
        assert len(set(question.options)) == 4
        if question.type != "movement":
            positions = [parse_position(option) for option in question.options]
            assert min(dist(a, b) for i, a in enumerate(positions) for b in positions[:i]) >= 0.05 - 1e-9


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0.2, 0.9), (0.6, 0.6, 1.0), (1.0, 1.0, 1.0)])
def test_the_share_of_neighbouring_steps(trajectories, paired, share, low, high):
    keyframes = {one.key: one.keyframes for one in trajectories}
    chosen = replace(paired, types=["waypoint"], paired_neighbours=share)
    gaps = []
    for members in sets_of(stream_questions(trajectories, chosen)).values():
        steps = defaultdict(list)
        for q in members:
            steps[q.episode].append(keyframes[q.task, q.variation, q.episode].index(q.keyframe))
        (first, second) = map(sorted, steps.values())
        assert first == second, "the same steps in both episodes"
        gaps.append(first[1] - first[0])
    assert low <= sum(gap == 1 for gap in gaps) / len(gaps) <= high


def test_neither_the_nearer_nor_the_farther_option_of_the_scene_is_a_shortcut(built):
    for members in sets_of(question for question in built if question.type == "waypoint").values():
        nearer = 0
        for question in members:
            own = [truth(other) for other in members if other.episode == question.episode]
            nearer += truth(question) == min(own, key=lambda o: dist(parse_position(o), question.state))
        assert nearer == 2
        assert sum(nearest_to_gripper(question) == question.answer for question in members) <= 2


def test_letters_are_balanced_and_shuffled_per_question(built):
    for type in ("waypoint", "state", "movement"):
        counts = Counter(q.answer for q in built if q.split == "train" and q.type == type)
        assert max(counts.values()) - min(counts.values()) <= 1
    orders = [tuple(q.options) for members in sets_of(built).values() for q in members]
    assert len(set(orders)) > 0.7 * len(orders)


def test_two_builds_are_the_same_whatever_the_order(study, built, paired):
    """Trajectories are sorted when they are read, so neither the order nor the number of workers matters."""
    episodes, keyframes = study
    again = build_questions(episodes[::-1], keyframes[::-1], paired)
    assert again == {split: [question for question in built if question.split == split] for split in again}
    assert build_questions(episodes, keyframes, replace(paired, seed=1)) != again


def test_a_keyframe_without_image_is_named(trajectories, paired):
    without = [replace(one, frames=range(0, len(one.states), 10)) for one in trajectories]
    with pytest.raises(BuildError, match="frame 24 has no front image; .*paired options need images of the keyframes"):
        list(stream_questions(without, paired))


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.5, 1.0]))
def test_any_seed_gives_complete_sets(trajectories, paired, seed, share):
    chosen = replace(paired, seed=seed, paired_neighbours=share, paired_questions=40)
    split_of = assign_splits((one.key for one in trajectories), chosen)
    for members in paired_sets(trajectories, split_of, chosen, Counter()):
        assert len(members) == len({answer for _, answer in members}) == 4
        assert len({draft.id for draft, _ in members}) == 4


def test_records_with_and_without_sets_are_read_back(built, tmp_path):
    plain = replace(built[0], set=None)
    write_records(tmp_path / "q.jsonl", [built[0], plain])
    with_set, without = (tmp_path / "q.jsonl").read_text().splitlines()
    assert '"set": "' in with_set and '"set"' not in without
    assert read_records(tmp_path / "q.jsonl", Question) == [built[0], plain]
    (tmp_path / "q.jsonl").write_text(with_set.replace('"set": "', '"set": 3, "x": "') + "\n")
    with pytest.raises(RecordError, match=r"q\.jsonl"):
        read_records(tmp_path / "q.jsonl", Question)


def test_broken_sets_are_found(built, paired):
    members = built[:4]
    with pytest.raises(BuildError, match="must share their options"):
        check_set(members[:3])
    with pytest.raises(BuildError, match="must share their options"):
        check_set([members[0], members[0], *members[2:]])
    with pytest.raises(BuildError, match="must share their options"):
        check_questions({"train": built[1:]}, paired)
    with pytest.raises(BuildError, match=f"set {members[0].set} occurs twice"):
        check_questions({"train": [*built[:8], replace(members[0], id="again")]}, paired)


def test_one_episode_is_too_few(trajectories, paired):
    alone = replace(paired, test_episodes=1)
    with pytest.raises(DistractorError, match="test_in: paired options need two episodes, got 1"):
        list(stream_questions(trajectories, alone))


def test_a_gap_that_no_set_keeps_is_named(trajectories, paired):
    with pytest.raises(DistractorError, match="waypoint: no two moments .* 0.9 m apart; lower `minimum_gap`"):
        list(stream_questions(trajectories, replace(paired, minimum_gap=0.9)))


def test_sets_have_four_options(paired):
    with pytest.raises(SettingsError, match=r"build_questions\.options: got 3; paired sets have four options"):
        check_section("build_questions", vars(paired) | {"options": 3})
