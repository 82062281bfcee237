"""Keys, addresses, proxies, certificates and refusals that cannot be used become reasons and no tracebacks."""

import json
import ssl

import httpx
import pytest
from chat_server import GOOD, chat, serving
from hypothesis import given
from hypothesis import strategies as st

from robotr1.evaluation.judging.chat import Chat, ChatError, _network_error

BODY = {"model": "m", "temperature": 1.0, "max_tokens": 9, "messages": []}


@pytest.fixture
def serve():
    with serving() as start:
        yield start


def reason(url, **options):
    with Chat(url, **({"attempts": 1, "timeout": 2.0} | options)) as connection, pytest.raises(ChatError) as found:
        connection.complete(BODY)
    return str(found.value)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", " ", "\t", "  \n", "\ufeff", "\u200b", "\u00a0"])
def test_white_space_around_a_key_is_removed(serve, monkeypatch, end):
    monkeypatch.setenv("KEY", f"{end}sesame-open{end}")
    server = serve(chat(GOOD))
    with Chat(server.url, "KEY") as connection:
        connection.complete(BODY)
    assert server.asked[0][2]["Authorization"] == "Bearer sesame-open"


@pytest.mark.parametrize(
    "key", ["sesame\nopen", "sesame open", "sesame\ropen", "sésame-open", "“sesame”", "sesame\x7fopen", "密钥密钥"]
)
def test_a_key_that_no_header_can_hold_is_refused_before_a_request_and_not_quoted(serve, monkeypatch, key):
    monkeypatch.setenv("KEY", key)
    server = serve(chat(GOOD))
    text = reason(server.url, key_variable="KEY")
    assert text.startswith("KEY holds a space, line break or letter that no key has (character ")
    assert "sesame" not in text and not server.asked


@pytest.mark.parametrize("key", ["", " ", "\n"])
def test_an_empty_key_is_none(serve, monkeypatch, key):
    monkeypatch.setenv("KEY", key)
    server = serve(chat(GOOD))
    with Chat(server.url, "KEY") as connection:
        connection.complete(BODY)
    assert "Authorization" not in server.asked[0][2]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000/v1",
        "ftp://host/v1",
        "file:///v1",
        "http://",
        "http:///v1",
        "http://[::1",
        "http://a b/",
        "\n",
        "ht!tp://x",
    ],
)
def test_an_address_that_is_none_is_named(url):
    assert "judge_url" in reason(url)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTP_PROXY", "socks9://user:pass-word@proxy"),
        ("ALL_PROXY", "socks5://user:pass-word@proxy"),
        ("HTTPS_PROXY", "http://user:pass-word@pro xy:port"),
        ("SSL_CERT_FILE", "/nowhere/pass-word.pem"),
    ],
)
def test_a_proxy_or_certificate_that_cannot_be_used_is_named_and_not_quoted(serve, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    server = serve(chat(GOOD))
    with Chat(server.url, attempts=1) as connection:
        if connection._client:
            pytest.skip("this httpx takes it")
        with pytest.raises(ChatError) as found:
            connection.complete(BODY)
    assert variable in str(found.value) and "pass-word" not in str(found.value)
    assert not server.asked


@pytest.mark.parametrize(
    ("status", "body", "shown"),
    [
        (400, {"error": {"message": "no such model"}}, "HTTP 400: no such model"),
        (400, {"error": "no such model"}, "HTTP 400: no such model"),
        (404, {"object": "error", "message": "no such model"}, "HTTP 404: no such model"),
        (422, {"detail": [{"msg": "field required"}]}, 'HTTP 422: [{"msg": "field required"}]'),
        (403, "<html>  go \n away </html>", "HTTP 403: go away"),
        (502, "<!DOCTYPE html><style>p {color: red}</style><p class='a'>Bad gateway</p>", "HTTP 502: Bad gateway"),
        (401, "", "HTTP 401"),
        (400, None, "HTTP 400: null"),
        (400, {"error": None}, 'HTTP 400: {"error": null}'),
        (400, "\udcff", "HTTP 400: "),
        (400, "x" * 5000, "HTTP 400: " + "x" * 300),
    ],
)
def test_the_body_of_a_refusal_is_shown(serve, status, body, shown):
    text = body if isinstance(body, str) else json.dumps(body)
    server = serve(lambda handler, _: handler.reply(status, text.encode("utf-8", "replace").decode()))
    assert reason(server.url).startswith(shown)
    assert len(reason(server.url)) <= 320


REFUSALS = [
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "max_tokens: Extra inputs are not permitted",
    '{"param": "max_tokens", "code": "unsupported_parameter"}',
]


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("message", REFUSALS)
def test_a_refused_max_tokens_becomes_max_completion_tokens(serve, status, message):
    server = serve((status, message), chat(GOOD), chat(GOOD))
    with Chat(server.url, attempts=1) as connection:
        assert connection.complete(BODY).text == GOOD
        connection.complete(BODY)
    first, *others = [body for *_, body in server.asked]
    assert first == BODY
    assert others == [{"model": "m", "temperature": 1.0, "max_completion_tokens": 9, "messages": []}] * 2
    assert connection.adapted == {"max_tokens": "max_completion_tokens"}


@pytest.mark.parametrize(
    "message",
    [
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
        "invalid temperature: only 1 is allowed for this model",
    ],
)
def test_a_refused_temperature_is_left_out(serve, message):
    server = serve((400, message), chat(GOOD))
    with Chat(server.url, attempts=1) as connection:
        reply = connection.complete(BODY)
    assert "temperature" not in server.asked[1][3] and server.asked[1][3]["max_tokens"] == 9
    assert reply.request == server.asked[1][3]


def test_a_parameter_that_helps_nothing_is_not_remembered(serve):
    server = serve((400, "temperature is cold"), (400, "the weather"), chat(GOOD))
    with Chat(server.url, attempts=1) as connection:
        with pytest.raises(ChatError, match="HTTP 400: the weather"):
            connection.complete(BODY)
        connection.complete(BODY)
    assert server.asked[2][3] == BODY


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            {"content": [{"type": "text", "text": "Score: "}, {"type": "text", "text": "2"}, {"type": "image"}]},
            "Score: 2",
        ),
        ({"content": None, "refusal": "I will not."}, "I will not."),
        ({"content": None}, ""),
    ],
)
def test_other_forms_of_a_message(serve, message, text):
    server = serve((200, json.dumps({"choices": [{"message": message}]})))
    with Chat(server.url) as connection:
        assert connection.complete(BODY).text == text


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["choices", "message", "content", "refusal", "text"]), inner)
        ),
    )
)
def test_any_json_is_a_reply_or_a_reason(content):
    with Chat("http://127.0.0.1:9/v1") as connection:
        try:
            text = connection._reply(json.dumps(content).encode(), BODY).text
        except ChatError as error:
            text = str(error).partition("not a chat completion: ")[2]
    assert isinstance(text, str)


@given(st.binary(max_size=300))
def test_any_bytes_are_shown_as_one_short_line(content):
    with Chat("http://127.0.0.1:9/v1") as connection:
        shown = connection._shown(content)
    assert len(shown) <= 300 and len(shown.splitlines()) <= 1
    shown.encode()


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("key: sesame"),
        httpx.ProxyError("sesame"),
        httpx.LocalProtocolError("Illegal header value b'Bearer sesame'"),
        httpx.UnsupportedProtocol("sesame"),
        httpx.InvalidURL("sesame"),
        httpx.ReadTimeout("sesame"),
        UnicodeEncodeError("ascii", "sesame é", 7, 8, "no"),
        ValueError("sesame"),
        OSError("sesame"),
    ],
)
def test_no_exception_is_quoted(error):
    assert "sesame" not in str(_network_error(error, 1.0))


def test_a_certificate_is_not_tried_again():
    error = httpx.ConnectError("no")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    found = _network_error(error, 1.0)
    assert "SSL_CERT_FILE" in str(found) and not found.retry
