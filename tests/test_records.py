import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1 import fields, records

QUESTION = records.Question(
    id="pick_up_cup/variation0/episode3/frame10/waypoint",
    split="train",
    type="waypoint",
    task="pick_up_cup",
    variation=0,
    episode=3,
    frame=10,
    keyframe=32,
    image="data/demos/pick_up_cup/variation0/episodes/episode3/front_rgb/10.png",
    instruction="pick up the red cup",
    state=[0.27, -0.11, 1.15],
    target=[0.3, 0.1, 0.8],
    options=["[0.3, 0.1, 0.8]", "[0.1, 0.1, 0.8]"],
    answer="A",
    prompt="Task: …\nWhere?",
)
text = st.text(max_size=20)
predictions = st.builds(
    records.Prediction,
    id=text,
    policy=text,
    split=st.sampled_from(["train", "validation", "test_in", "test_out"]),
    type=st.sampled_from(["waypoint", "state", "movement"]),
    task=text,
    completion=text,
    letter=st.sampled_from(["A", "D", None]),
    answer=st.sampled_from(["A", "D"]),
    correct=st.booleans(),
    formatted=st.booleans(),
)


@given(st.lists(predictions, max_size=5))
def test_round_trip_keeps_every_field(tmp_path_factory, made):
    path = tmp_path_factory.mktemp("records") / "predictions.jsonl"
    records.write_records(path, made)
    assert records.read_records(path, records.Prediction) == made


def write(path, **changes):
    line = {"schema": records.SCHEMA, **dataclasses.asdict(QUESTION), **changes}
    line = {key: value for key, value in line.items() if value is not ...}
    good = {"schema": records.SCHEMA, **dataclasses.asdict(QUESTION)}
    path.write_text(json.dumps(good) + "\n" + json.dumps(line) + "\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": "Z"}, r"line 2: answer: got 'Z', expected one of A, B"),
        ({"frame": "10"}, r"line 2: frame: got '10' \(str\), expected int"),
        ({"frame": True}, r"line 2: frame: got True \(bool\), expected int"),
        ({"state": [0.1, None, 0.2]}, r"line 2: state\[1\]: got None"),
        ({"options": "A"}, r"line 2: options: got 'A' \(str\), expected list\[str\]"),
        ({"prompt": ...}, r"line 2: prompt: missing in a Question record"),
        ({"colour": "red"}, r"line 2: colour: unknown; the fields are id, split"),
        ({"schema": 99}, r"line 2: schema: got 99, this version reads 1"),
    ],
)
def test_a_bad_field_is_named_with_file_and_line(tmp_path, changes, message):
    write(tmp_path / "train.jsonl", **changes)
    with pytest.raises(records.RecordError, match=r"train\.jsonl, " + message):
        records.read_records(tmp_path / "train.jsonl", records.Question)


@pytest.mark.parametrize("line", ['{"schema": 1, "id": "x"', "[1, 2]", "\n{}", "\x00", "[" * 100_000, "1" * 5000])
def test_a_corrupt_line_is_named(tmp_path, line):
    write(tmp_path / "train.jsonl")
    with open(tmp_path / "train.jsonl", "a") as file:
        file.write(line + "\n")
    with pytest.raises(records.RecordError, match=r"train\.jsonl, line 3: .*run the stage"):
        records.read_records(tmp_path / "train.jsonl", records.Question)


def test_a_missing_file_says_which_and_what_to_do(tmp_path):
    with pytest.raises(records.RecordError, match=r"train\.jsonl is missing; run the stage"):
        records.read_records(tmp_path / "train.jsonl", records.Question)


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    def broken():
        yield QUESTION
        raise KeyboardInterrupt

    path = tmp_path / "train.jsonl"
    records.write_records(path, [QUESTION])
    with pytest.raises(KeyboardInterrupt):
        records.write_records(path, broken())
    assert records.read_records(path, records.Question) == [QUESTION]


def test_streaming_reads_no_further_than_asked(tmp_path):
    write(tmp_path / "train.jsonl", answer="Z")
    assert next(records.stream_records(tmp_path / "train.jsonl", records.Question)) == QUESTION


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r", "\r\n", "\ud800", "\0"])
def test_line_separators_inside_a_text_are_data(tmp_path, mark):
    made = [dataclasses.replace(QUESTION, prompt=f"a{mark}b", id=f"{mark}{number}") for number in range(3)]
    records.write_records(tmp_path / "train.jsonl", made)
    assert records.read_records(tmp_path / "train.jsonl", records.Question) == made


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n", b"\r\n", b"\r\n\r\n"])
def test_the_last_line_may_end_in_any_way(tmp_path, end):
    path = tmp_path / "train.jsonl"
    records.write_records(path, [QUESTION, QUESTION])
    path.write_bytes(path.read_bytes().removesuffix(b"\n") + end)
    assert records.read_records(path, records.Question) == [QUESTION] * 2


def test_bytes_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "train.jsonl"
    records.write_records(path, [QUESTION])
    path.write_bytes(path.read_bytes().replace(b"pick up", b"pick \xff\xfe"))
    with pytest.raises(records.RecordError, match=r"train\.jsonl, line 1: not JSON .*utf-8"):
        records.read_records(path, records.Question)


@dataclasses.dataclass(frozen=True)
class Point:
    x: float
    shown: object = fields.not_stored()


@dataclasses.dataclass(frozen=True)
class Path:
    policy: str
    points: list[Point]
    last: Point


def test_nested_records_come_back_by_policy_without_what_is_not_stored(tmp_path):
    rows = [Path(name, [Point(0.5, "seen")] * 2, Point(1.0, object())) for name in ("b", "a", "b")]
    records.write_by_policy(tmp_path, "paths.jsonl", rows)
    plain = [Path(name, [Point(0.5, None)] * 2, Point(1.0, None)) for name in ("a", "b", "b")]
    assert records.read_by_policy(tmp_path, "paths.jsonl", Path) == plain


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"policy": "a", "points": [], "last": {}}, r"last\.x: missing"),
        ({"policy": "a", "points": [{"x": 1}, {"x": "1"}], "last": {"x": 1}}, r"points\[1\]\.x: got '1'"),
        ({"policy": "a", "points": [], "last": [1]}, r"last: got \[1\] \(list\), expected Point"),
        ({"policy": "a", "points": [], "last": {"x": 1, "shown": 2}}, r"last\.shown: unknown; the fields are x"),
    ],
)
def test_a_bad_field_of_a_nested_record_is_named(tmp_path, line, message):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/paths.jsonl").write_text(json.dumps({"schema": 1} | line))
    with pytest.raises(records.RecordError, match=r"a/paths\.jsonl, line 1: " + message):
        records.read_by_policy(tmp_path, "paths.jsonl", Path)
