from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from robotr1 import paths
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.keyframes import keyframes_of, next_keyframe
from robotr1.questions.answers import parse_state
from robotr1.questions.build import build_questions, stream_questions
from robotr1.questions.checks import BuildError, QuestionCheck, check_images, check_letters, check_questions
from robotr1.questions.distractors import answer_pool
from robotr1.questions.distractors.positions import smallest_gap
from robotr1.questions.distractors.strategies import STRATEGIES, DistractorError
from robotr1.questions.movement import describe_movement, parse_movement
from robotr1.questions.prompts import LETTERS, format_state
from robotr1.questions.splits import assign_splits
from robotr1.questions.trajectory import trajectories_of
from robotr1.records import Question, read_records, write_records


@pytest.fixture(scope="module")
def built(study, settings):
    return build_questions(*study, settings)


def everything(splits) -> list[Question]:
    return [question for questions in splits.values() for question in questions]


def test_splits_go_by_episode(built):
    episodes = {
        split: {(question.task, question.episode) for question in questions} for split, questions in built.items()
    }
    for task in ("pick_up_cup", "unheard_of_task"):
        assert {number for name, number in episodes["train"] if name == task} == set(range(6))
        assert {number for name, number in episodes["validation"] if name == task} == set(range(6, 10))
        assert {number for name, number in episodes["test_in"] if name == task} == set(range(10, 14))
    assert episodes["test_out"] == {("lamp_on", number) for number in range(4)}


def test_every_tenth_frame_gives_one_question_of_each_type(built, study, settings):
    episodes, keyframes = study
    expected = {
        f"{line.task}/variation0/episode{line.episode}/frame{frame}/{type}"
        for line in keyframes
        for frame in range(0, line.length - 1, 10)
        for type in settings.types
    }
    assert {question.id for question in everything(built)} == expected


def test_truth_follows_from_the_demonstration(built, study):
    poses = {(episode.task, episode.episode): episode.gripper_pose for episode in study[0]}
    found = {(line.task, line.episode): line.keyframes for line in study[1]}
    for question in everything(built):
        key = (question.task, question.episode)
        assert question.keyframe == next_keyframe(found[key], question.frame)
        state, target = poses[key][question.frame, :3], poses[key][question.keyframe, :3]
        assert question.state == pytest.approx(state, abs=1e-4)
        assert question.target == pytest.approx(target, abs=1e-4)
        truth = question.options[LETTERS.index(question.answer)]
        if question.type == "movement":
            assert truth == describe_movement(np.subtract(question.target, question.state))
        else:
            assert truth == format_state(question.target if question.type == "waypoint" else question.state, 2)
        assert question.options.count(truth) == 1
        assert f"[[{question.answer}]] {truth}" in question.prompt.splitlines()


def test_printed_options_keep_the_gap(built):
    for question in everything(built):
        if question.type != "movement":
            assert smallest_gap([parse_state(option) for option in question.options]) >= 0.1 - 1e-9


def test_letters_are_balanced(built):
    for questions in built.values():
        for type in ("waypoint", "state", "movement"):
            counts = Counter(question.answer for question in questions if question.type == type)
            assert max(counts.values()) - min(counts.values()) <= 1


def test_distractors_are_answers_of_other_episodes_of_the_split(built):
    answers = {}
    for question in everything(built):
        truth = question.options[LETTERS.index(question.answer)]
        answers.setdefault((question.split, question.task, question.type, truth), set()).add(question.episode)
    for question in built["train"]:
        if question.type != "movement":
            for option in question.options:
                episodes = answers[question.split, question.task, question.type, option]
                assert option == question.options[LETTERS.index(question.answer)] or episodes - {question.episode}


def test_two_builds_are_byte_identical_whatever_the_order(built, study, settings, tmp_path):
    episodes, keyframes = study
    again = build_questions(reversed(episodes), keyframes[::-1], settings)
    for name, splits in (("one", built), ("two", again)):
        write_records(tmp_path / f"{name}.jsonl", everything(splits))
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert read_records(tmp_path / "one.jsonl", Question) == everything(built)
    assert build_questions(episodes, keyframes, replace(settings, seed=1)) != built


@pytest.mark.parametrize("strategy", ["uniform", "same_episode", "near_miss", "mirrored"])
@pytest.mark.parametrize("order", ["shuffled", "canonical"])
def test_every_strategy_and_order_builds(study, settings, strategy, order):
    chosen = replace(settings, distractors=strategy, option_order=order, minimum_gap=0.08, prompt="full", decimals=3)
    splits = build_questions(*study, chosen)
    if order == "canonical":
        for question in everything(splits):
            read = parse_movement if question.type == "movement" else parse_state
            values = [tuple(read(option)) for option in question.options]
            assert values == sorted(values)


def test_fewer_types_and_options(study, settings):
    splits = build_questions(*study, replace(settings, types=["state"], options=2))
    assert {(question.type, len(question.options)) for question in everything(splits)} == {("state", 2)}


def test_too_few_episodes(settings):
    keys = [("pick_up_cup", 0, number) for number in range(8)] + [("lamp_on", 0, 0)]
    with pytest.raises(BuildError, match="pick_up_cup: 8 episodes leave none to train on"):
        assign_splits(keys, settings)


def test_a_held_out_task_without_demonstrations(settings):
    with pytest.raises(BuildError, match="no demonstrations of lamp_on"):
        assign_splits([("pick_up_cup", 0, number) for number in range(20)], settings)


def test_episodes_and_keyframes_must_match(study, settings):
    episodes, keyframes = study
    with pytest.raises(BuildError, match="no such demo"):
        build_questions(episodes[:-1], keyframes, settings)
    with pytest.raises(BuildError, match=r"no line in keyframes\.jsonl"):
        build_questions(episodes, keyframes[:-1], settings)


def test_a_frame_without_image(study, settings):
    with pytest.raises(BuildError, match="frame 5 has no front image"):
        build_questions(*study, replace(settings, frame_interval=5))


def test_a_gap_that_cannot_be_met_names_the_question(study, settings):
    with pytest.raises(DistractorError, match=r"episode\d+/frame\d+/waypoint: .*minimum_gap"):
        build_questions(*study, replace(settings, minimum_gap=1.5))


def changed_line(study, **changes):
    episodes, keyframes = study
    return episodes, [replace(keyframes[0], **changes), *keyframes[1:]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keyframes": [24, 52]}, r"keyframes\.jsonl has 52 frames and keyframes \[24, 52\], the episode has 52"),
        ({"keyframes": [-1, 24]}, "the episode has 52 frames"),
        ({"length": 50}, "keyframes.jsonl has 50 frames"),
        ({"keyframes": [36, 24]}, r"\[36, 24\] do not rise"),
    ],
)
def test_keyframes_that_are_not_of_the_episode(study, settings, changes, message):
    with pytest.raises(BuildError, match=f"episode0: .*{message}"):
        build_questions(*changed_line(study, **changes), settings)


def test_an_episode_without_keyframes_is_counted(study, settings, built):
    skipped = Counter()
    splits = build_questions(*changed_line(study, keyframes=[]), settings, skipped=skipped)
    assert skipped == {"episodes without keyframes": 1}
    assert len(everything(splits)) == len(everything(built)) - 18
    episodes, keyframes = study
    with pytest.raises(BuildError, match="no demonstration has a keyframe"):
        build_questions(episodes, [replace(line, keyframes=[]) for line in keyframes], settings)


def test_questions_without_enough_distractors_are_counted(study, settings, built):
    skipped = Counter()
    splits = build_questions(
        *study, replace(settings, types=["waypoint"], options=6, minimum_gap=0.14), skipped=skipped
    )
    (reason,) = skipped
    assert reason == "waypoint questions without enough distractors"
    assert 0 < skipped[reason] == len(everything(built)) / 3 - len(everything(splits))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_stream_and_a_set_in_memory_are_the_same(study, settings, strategy):
    chosen = replace(settings, distractors=strategy)
    check = QuestionCheck(chosen)
    streamed = [check.add(question) for question in stream_questions(trajectories_of(*study), chosen)]
    check.finish()
    in_memory = build_questions(*study, chosen)
    assert {split: [q for q in streamed if q.split == split] for split in in_memory} == in_memory


def test_full_pools_change_nothing_but_the_choice(study, settings, monkeypatch):
    monkeypatch.setattr(answer_pool, "LIMIT", 30)
    splits = build_questions(*study, settings)
    assert len(everything(splits)) == 18 * 32
    assert build_questions(*study, settings) == splits


def spoiled(built, **changes):
    first, *rest = built["train"]
    return {**built, "train": [replace(first, **changes), *rest]}


def test_checks_find_what_is_broken(built, settings):
    check_questions(built, settings)
    first = built["train"][0]
    assert first.type == "waypoint"
    wrong_letter = LETTERS[(LETTERS.index(first.answer) + 1) % 4]
    with pytest.raises(BuildError, match="is not the truth"):
        check_questions(spoiled(built, answer=wrong_letter), settings)
    with pytest.raises(BuildError, match="different options"):
        check_questions(spoiled(built, options=[first.options[0]] * 4), settings)
    with pytest.raises(BuildError, match="minimum_gap"):
        check_questions(built, replace(settings, minimum_gap=0.9))
    with pytest.raises(BuildError, match="its episode is in"):
        check_questions(spoiled(built, split="validation"), settings)
    with pytest.raises(BuildError, match="occurs twice"):
        check_questions({**built, "test_in": [*built["test_in"], built["test_in"][0]]}, settings)
    with pytest.raises(BuildError, match="letters are not balanced"):
        check_letters({("train", "state"): Counter(A=30, B=1)}, options=4)
    with pytest.raises(BuildError, match="prompt does not show"):
        check_questions(spoiled(built, prompt="Where?"), settings)
    with pytest.raises(BuildError, match=r"tokens with its image, prompt_budget is 360; use fewer options"):
        check_questions(built, replace(settings, prompt_budget=360))


def test_an_unreadable_image_is_named(built, tmp_path):
    broken = tmp_path / "0.png"
    broken.write_bytes(b"no image")
    question = replace(built["train"][0], image=str(broken))
    with pytest.raises(BuildError, match=r"0\.png: cannot be read"):
        check_images([question])
    with pytest.raises(BuildError, match=r"1\.png: cannot be read"):
        check_images([replace(question, image=str(tmp_path / "1.png"))])


def test_a_real_recording(settings):
    folder = paths.ROOT.parent / "shared/real/rlbench"
    recordings = list_episodes(folder) if folder.is_dir() else []
    if not recordings:
        pytest.skip("no real RLBench recording beside the repository")
    episode = read_episode(recordings[0])
    line = keyframes_of([episode])[0]
    chosen = replace(settings, held_out_tasks=[episode.task], distractors="uniform")
    questions = build_questions([episode], [line], chosen)["test_out"]
    assert len(questions) == 3 * len(range(0, len(episode) - 1, 10))
    assert {question.image.rsplit("/", 1)[1] for question in questions} <= {f"{frame}.png" for frame in episode.frames}
