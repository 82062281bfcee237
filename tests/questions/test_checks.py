"""The token estimate of a prompt is an upper bound for the tiny policy's tokenizer."""

import pytest
from tokenizers import Tokenizer

from robotr1 import paths
from robotr1.questions.build import build_questions
from robotr1.questions.checks import IMAGE_TOKENS, prompt_tokens


def test_prompt_tokens_is_an_upper_estimate(study, settings):
    tokenizer = Tokenizer.from_file(str(paths.WEIGHTS / "tiny/tokenizer.json"))
    for question in build_questions(*study, settings)["test_in"]:
        assert len(tokenizer.encode(question.prompt).ids) <= prompt_tokens(question.prompt) - IMAGE_TOKENS


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("cup", 1), ("saucepan", 2), ("-0.25", 5), ("[[A]] up", 7), ("a \n\n b", 3)]
)
def test_pieces(text, tokens):
    assert prompt_tokens(text) == IMAGE_TOKENS + tokens
