"""Special tokens are refused where text enters, with the place and the token."""

import dataclasses
import json
import pickle
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from robotr1 import paths
from robotr1.demos.episode import EpisodeError, read_episode
from robotr1.evaluation.open_questions.items import read_items
from robotr1.evaluation.spatialrgpt import items as spatial
from robotr1.keyframes import keyframes_of
from robotr1.metadata import MetadataError, design_metadata, read_metadata, write_metadata
from robotr1.questions.checks import BuildError
from robotr1.questions.trajectory import trajectory_of
from robotr1.records import Keyframes, RecordError, read_records, write_records
from robotr1.special_tokens import special_token

OTHERS = [
    "<|begin_of_text|>",
    "<|eot_id|>",
    "<｜begin▁of▁sentence｜>",
    "<s>",
    "</s>",
    "<image>",
    "<start_of_turn>",
    "[INST]",
]
words = st.text(st.characters(blacklist_characters="<>[]|｜"), max_size=40)


def tiny_tokens():
    tokens = json.loads((paths.WEIGHTS / "tiny/tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
    return [token["content"] for token in tokens if token["special"]]


@given(words, st.sampled_from([*tiny_tokens(), *OTHERS]), words)
def test_every_special_token_is_found_anywhere(before, token, after):
    assert special_token(before + token + after) == token
    assert special_token(before + after) is None


def test_the_chat_template_holds_no_other_tokens():
    template = (paths.WEIGHTS / "tiny/chat_template.jinja").read_text(encoding="utf-8")
    tokenizer = Tokenizer.from_file(str(paths.WEIGHTS / "tiny/tokenizer.json"))
    for token in ("<|im_start|>", "<|im_end|>", "<|image_pad|>"):
        assert token in template and tokenizer.token_to_id(token) is not None and special_token(f"a {token}")


@pytest.mark.parametrize(
    "text", ["<think> a </think> <answer> [[A]] </answer>", "1 < 2 | 3 > 2", "[0.1, 0, 1]", "<cup>"]
)
def test_the_study_s_own_tags_and_plain_text_pass(text):
    assert special_token(text) is None


@pytest.mark.parametrize("piece", ["<|", "<|a", "<", "｜>", "</", "[INST", "<|x|", "<<SYS"])
def test_a_megabyte_takes_linear_time(piece):
    before = time.process_time()
    special_token(piece * (1_000_000 // len(piece)))
    assert time.process_time() - before < 5


def test_records_name_file_line_and_field(tmp_path):
    good = Keyframes("pick_up_cup", 0, 0, "pick up the cup", 9, [8])
    path = tmp_path / "keyframes.jsonl"
    write_records(path, [good, dataclasses.replace(good, instruction="pick up the <|image_pad|> cup")])
    with pytest.raises(RecordError, match=r"keyframes\.jsonl.*2.*instruction: contains '<\|image_pad\|>'.*remove it"):
        read_records(path, Keyframes)


def test_metadata_name_file_and_field(make_episode, tmp_path):
    scene = design_metadata([read_episode(make_episode())])
    for change in ({"scale_object": "<|im_end|>"}, {"axes": [["a", "b"], ["c", "<|im_end|>"], ["e", "f"]]}):
        write_metadata(tmp_path / "cup.json", dataclasses.replace(scene, **change))
        with pytest.raises(MetadataError, match=rf"cup\.json: {next(iter(change))}.*contains '<\|im_end\|>'"):
            read_metadata(tmp_path / "cup.json")


def test_recordings_name_the_file(make_episode):
    folder = make_episode()
    path = folder.parents[1] / "variation_descriptions.pkl"
    path.write_bytes(pickle.dumps(["pick up the cup", "lift <|vision_start|>"]))
    with pytest.raises(EpisodeError, match=r"variation_descriptions\.pkl: .*'<\|vision_start\|>'.*remove it"):
        read_episode(folder)


def test_the_build_names_the_episode(make_episode):
    episode = read_episode(make_episode())
    line = dataclasses.replace(keyframes_of([episode])[0], instruction="lift <|video_pad|>")
    with pytest.raises(BuildError, match=r"pick_up_cup/variation0/episodes/episode0: .*'<\|video_pad\|>'"):
        trajectory_of(episode, line)


def test_open_items_name_line_and_field(tmp_path):
    lines = (Path(spatial.FOLDER) / "open_questions.jsonl").read_text(encoding="utf-8").split("\n")[:2]
    broken = json.loads(lines[1]) | {"question": "Where is the <|image_pad|>?"}
    path = tmp_path / "items.jsonl"
    path.write_text(f"{lines[0]}\n{json.dumps(broken)}\n", encoding="utf-8")
    with pytest.raises(RecordError, match=r"items\.jsonl.*2.*question: contains '<\|image_pad\|>'"):
        read_items(path)


def test_spatial_items_name_the_entry(tmp_path):
    row = {
        "id": 1,
        "qa_info": {"category": "width_data"},
        "image_info": {"file_path": "a.png"},
        "text_q": "How wide is <|image_pad|>?",
        "conversations": [{"value": "?"}, {"value": "1 m"}],
    }
    path = tmp_path / "spatial.json"
    path.write_text(json.dumps([row]), encoding="utf-8")
    with pytest.raises(RecordError, match=r"entry 1: text_q .*'<\|image_pad\|>'"):
        spatial.read_items(path)
