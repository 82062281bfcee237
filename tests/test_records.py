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
text = st.text(st.characters(codec=None), max_size=20)  # lone surrogates and line separators too
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
        ({"frame": "9" * 10**6}, r"line 2: frame: got '9{1,100}\.\.\.9{1,100}' \(str\), expected int"),
        ({"frame": True}, r"line 2: frame: got True \(bool\), expected int"),
        ({"state": [0.1, None, 0.2]}, r"line 2: state\[1\]: got None"),
        ({"state": [0.1, 10**400, 0.2]}, r"line 2: state\[1\]: got 10{1,100}\.\.\.0{1,100} \(int\), expected float"),
        ({"state": [0.1, float("nan"), 0.2]}, r"line 2: state\[1\]: got nan, expected a finite number"),
        ({"state": [0.1, float("inf"), 0.2]}, r"line 2: state\[1\]: got inf, expected a finite number"),
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


@pytest.mark.parametrize(
    "line",
    ['{"schema": 1, "id": "x"', "[1, 2]", "\n{}", "\x00", "[" * 100_000, "1" * 5000, '{"' + "k" * 10**6 + '": 1}'],
)
def test_a_corrupt_line_is_named(tmp_path, line):
    write(tmp_path / "train.jsonl")
    with open(tmp_path / "train.jsonl", "a") as file:
        file.write(line + "\n")
    with pytest.raises(records.RecordError, match=r"train\.jsonl, line 3: .*run the stage"):
        records.read_records(tmp_path / "train.jsonl", records.Question)


def error_of(path, kind):
    try:
        records.read_records(path, kind)
    except records.RecordError as error:
        return str(error)
    return None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["schema", "id", "state"]) | text, inner)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=200) | st.lists(JSON, max_size=3).map(lambda rows: "\n".join(map(json.dumps, rows)).encode()))
def test_any_file_gives_records_or_the_documented_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("records") / "train.jsonl"
    path.write_bytes(content)
    for kind in (records.Question, records.Prediction, Path):
        message = error_of(path, kind)
        if message is None:
            assert not content.strip(b"\r\n")
        else:
            assert "train.jsonl, line " in message
            assert len(message) < 2000


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
    number: int
    points: list[Point]
    last: Point


def test_nested_records_come_back_by_policy_without_what_is_not_stored(tmp_path):
    rows = [Path(name, i, [Point(0.5, "seen")] * 2, Point(1.0, object())) for i, name in enumerate("bab")]
    records.write_by_policy(tmp_path, "paths.jsonl", rows)
    plain = [Path(name, i, [Point(0.5, None)] * 2, Point(1.0, None)) for name, i in (("a", 1), ("b", 0), ("b", 2))]
    assert records.read_by_policy(tmp_path, "paths.jsonl", Path, key=("number",)) == plain


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"policy": "a", "number": 0, "points": [], "last": {}}, r"last\.x: missing"),
        ({"policy": "a", "number": 0, "points": [{"x": 1}, {"x": "1"}], "last": {"x": 1}}, r"points\[1\]\.x: got '1'"),
        ({"policy": "a", "number": 0, "points": [], "last": [1]}, r"last: got \[1\] \(list\), expected Point"),
        (
            {"policy": "a", "number": 0, "points": [], "last": {"x": 1, "shown": 2}},
            r"last\.shown: unknown; the fields are x",
        ),
    ],
)
def test_a_bad_field_of_a_nested_record_is_named(tmp_path, line, message):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/paths.jsonl").write_text(json.dumps({"schema": 1} | line))
    with pytest.raises(records.RecordError, match=r"a/paths\.jsonl, line 1: " + message):
        records.read_by_policy(tmp_path, "paths.jsonl", Path, key=("number",))


def test_rows_in_the_folder_of_another_policy_are_refused(tmp_path):
    records.write_by_policy(tmp_path, "paths.jsonl", [Path("base", 0, [], Point(1.0, None))])
    (tmp_path / "base").rename(tmp_path / "copy")
    with pytest.raises(records.RecordError, match=r"copy/paths\.jsonl: has rows of the policy 'base'"):
        records.read_by_policy(tmp_path, "paths.jsonl", Path, key=("number",))


def test_a_row_that_is_there_twice_is_refused(tmp_path):
    rows = [Path("base", number, [], Point(1.0, None)) for number in (1, 2, 1)]
    records.write_by_policy(tmp_path, "paths.jsonl", rows)
    with pytest.raises(records.RecordError, match=r"base/paths\.jsonl: has \(1,\) twice"):
        records.read_by_policy(tmp_path, "paths.jsonl", Path, key=("number",))


@pytest.mark.parametrize("policy", ["Qwen/Qwen2.5-VL", "../base", "", ".", ".."])
def test_a_policy_that_is_no_folder_name_is_refused(tmp_path, policy):
    with pytest.raises(records.RecordError, match="not the name of a folder"):
        records.write_by_policy(tmp_path, "paths.jsonl", [Path(policy, 0, [], Point(1.0, None))])
