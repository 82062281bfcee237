"""Text from outside can be stored: valid Unicode, without secrets of the environment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.judging.clean import secrets, valid_unicode, without_secrets

any_text = st.text(alphabet=st.characters(codec=None, exclude_categories=[]))


@given(any_text)
def test_any_text_can_be_encoded_and_valid_text_stays(text):
    clean = valid_unicode(text)
    clean.encode()
    try:
        text.encode()
    except UnicodeEncodeError:
        assert "\ufffd" in clean or len(clean) < len(text)
    else:
        assert clean == text


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("ANY_NAME", " sesame-open\r", "sesame-open"),
        ("ANY_NAME", "sesame\nopen-it", "sesame"),
        ("HF_TOKEN", "hf_abcdef", "hf_abcdef"),
        ("AZURE_OPENAI_API_KEY", "0123456789", "0123456789"),
        ("DB_PASSWORD", "open-sesame", "open-sesame"),
        ("https_proxy", "http://me:open-sesame@proxy:1", "open-sesame"),
        ("HTTP_PROXY", "http://only-a-token@proxy:1", "only-a-token"),
    ],
)
def test_secret_values_are_hidden(monkeypatch, name, value, hidden):
    monkeypatch.setenv(name, value)
    assert without_secrets(f"you sent {hidden}!", secrets("ANY_NAME")) == "you sent [secret]!"


def test_short_and_ordinary_values_are_no_secrets(monkeypatch):
    monkeypatch.setenv("ANY_NAME", "none")
    monkeypatch.setenv("COLOUR", "red-and-green")
    assert without_secrets("none, red-and-green", secrets("ANY_NAME")) == "none, red-and-green"
