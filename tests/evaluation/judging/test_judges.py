"""Which judge the settings choose, and the one that only counts words."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from robotr1 import settings
from robotr1.evaluation.judging.endpoint import EndpointJudge
from robotr1.evaluation.judging.judges import REPLIES, WordsJudge, judges_of
from robotr1.evaluation.judging.reference import ReferenceJudge
from robotr1.evaluation.judging.rubric import Case

SETTINGS = settings.load_settings()["run_benchmarks"]


def score(reference, answer):
    (verdict,) = WordsJudge().judge([Case("spatial", "?", reference, answer)])
    return verdict


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The cup is to the left of the lamp.", 3),
        ("the CUP is, to the left of the lamp", 3),
        ("The cup is to the right of the lamp.", 2),
        ("It is left of the lamp", 2),
        ("the lamp", 1),
        ("I cannot see.", 0),
        ("12.5 centimeters", 0),
    ],
)
def test_words_are_counted_and_not_understood(answer, expected):
    assert score("The cup is to the left of the lamp.", answer).score == expected


@examples(max_examples=40)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_gets_a_score_and_nothing_gets_none(reference, answer):
    verdict = score(reference, answer)
    assert verdict.score in (0, 1, 2, 3)
    assert verdict.status == ("scored" if answer.strip() else "no_answer")
    assert score(reference, None).status == "no_answer"


def test_the_second_judge_is_another_one():
    assert [type(judge) for judge in judges_of(SETTINGS)] == [ReferenceJudge, WordsJudge]
    asked = replace(SETTINGS, judge="endpoint", judge_url="http://localhost:1/v1", judge_model="a-model")
    first, second = judges_of(asked)
    assert (type(first), type(second)) == (EndpointJudge, ReferenceJudge)
    assert (first.base_url, first.name, first.temperature, first.cache) == (
        "http://localhost:1/v1",
        "a-model",
        1,
        REPLIES,
    )


@pytest.mark.parametrize("missing", ["judge_url", "judge_model"])
def test_an_endpoint_needs_its_place_and_its_name(missing):
    values = {"judge": "endpoint", "judge_url": "http://localhost:1/v1", "judge_model": "a-model"} | {missing: ""}
    section = settings.read_params()["run_benchmarks"] | values
    with pytest.raises(settings.SettingsError, match="endpoint needs judge_url and judge_model"):
        settings.check_section("run_benchmarks", section)
