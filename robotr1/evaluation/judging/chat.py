"""Send chat completions to an OpenAI-compatible server, with retries, a deadline and a limit on the rate.

Whatever goes wrong is a `ChatError` whose reason can be stored: it never holds an exception's text, because that may
quote headers, and no secret of the environment that a server repeats.
"""

import json
import os
import re
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from robotr1.evaluation.judging.clean import secrets, valid_unicode, without_secrets

LARGEST_REPLY = 1_000_000  # bytes
RETRIED = {408, 409, 425, 429, 500, 502, 503, 504, 529}  # HTTP statuses
REFUSED = {400, 422}  # HTTP statuses of a request with an unsupported parameter
LONGEST_PAUSE = 60.0  # seconds
SHOWN = 300  # characters of a server's message in a reason
NETWORK_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
# Newer models refuse these parameters; the first is renamed, the second left out.
RENAMED = {"max_tokens": "max_completion_tokens"}
LEFT_OUT = ("temperature",)


class ChatError(Exception):
    """A request without a reply; `retry` says whether another attempt may help, `pause` after how many seconds.

    `refusal` is the body of a reply that refuses the request's form (HTTP 400 or 422).
    """

    def __init__(self, reason: str, retry: bool = True, pause: float = 0.0, refusal: str = ""):
        super().__init__(reason)
        self.retry, self.pause, self.refusal = retry, pause, refusal


@dataclass(frozen=True)
class Reply:
    """The text of a chat completion ("" where it has none), why it ended, and the request that was sent for it."""

    text: str
    finish_reason: str
    request: dict[str, Any]


class Chat:
    """A connection to `POST <base_url>/chat/completions`; a context manager, and safe to use from several threads.

    Args:
        base_url: for example "https://api.openai.com/v1", or that of a local server.
        key_variable: the environment variable with the key; no key is sent where it is not set.
        timeout: seconds for a whole reply, even where the server keeps sending single bytes.
        attempts: tries for one request, the first included. The pause between them doubles from `pause` seconds, or is
            the one that the server requests (Retry-After).
        requests_per_minute: the most that are started in a minute; 0 is no limit.

    A URL, key, proxy or certificate that cannot be used raises nothing here: every request fails with the reason.
    `adapted` names the parameters that the server refused and what was done instead.
    """

    def __init__(
        self,
        base_url: str,
        key_variable: str = "OPENAI_API_KEY",
        timeout: float = 60.0,
        attempts: int = 5,
        pause: float = 1.0,
        requests_per_minute: float = 0.0,
    ):
        self.url = f"{base_url.strip().rstrip('/')}/chat/completions"
        self.timeout, self.attempts, self.pause = timeout, attempts, pause
        self.requests_per_minute = requests_per_minute
        self.adapted: dict[str, str] = {}
        self._lock, self._next_start = threading.Lock(), 0.0
        self._secrets = secrets(key_variable)
        self._client, self._problem = None, ""
        try:
            _check_url(self.url)
            self._client = httpx.Client(headers=_headers(key_variable), timeout=timeout)
        except ChatError as error:
            self._problem = str(error)
        except Exception as error:  # of httpx, ssl or a missing package: a proxy or certificate
            named = ", ".join(
                name for name in NETWORK_VARIABLES if os.environ.get(name) or os.environ.get(name.lower())
            )
            self._problem = (
                f"no connection can be set up ({type(error).__name__}); check the environment's proxies and "
                f"certificates ({named or ', '.join(NETWORK_VARIABLES)})"
                + ("; a SOCKS proxy needs `pip install socksio`" if isinstance(error, ImportError) else "")
            )

    def __enter__(self) -> "Chat":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._client:
            self._client.close()

    def complete(self, body: dict[str, Any]) -> Reply:
        """The reply to a request. Raises ChatError with the last attempt's reason."""

        def wait(state: RetryCallState) -> float:
            doubled = self.pause * 2 ** (state.attempt_number - 1)
            return min(state.outcome.exception().pause or doubled, LONGEST_PAUSE)

        retries = Retrying(
            stop=stop_after_attempt(self.attempts),
            wait=wait,
            retry=retry_if_exception(lambda error: isinstance(error, ChatError) and error.retry),
            reraise=True,
        )
        return retries(self._attempt, body)

    def _attempt(self, body: dict[str, Any]) -> Reply:
        """One attempt, repeated at once with other parameters where the server refuses one and names it."""
        adapted = dict(self.adapted)
        while True:
            request = _adapt(body, adapted)
            try:
                reply = self._reply(self._post(request), request)
            except ChatError as error:
                refused = [name for name in (*RENAMED, *LEFT_OUT) if name in request and name in error.refusal]
                if not refused:
                    raise
                adapted[refused[0]] = RENAMED.get(refused[0], "")
            else:
                self.adapted = {**self.adapted, **adapted}
                return reply

    def _reply(self, content: bytes, request: dict[str, Any]) -> Reply:
        try:
            choice = json.loads(content)["choices"][0]
            message = choice["message"]
            text, reason = message["content"], choice.get("finish_reason")
            if isinstance(text, list):  # parts, of which some hold text
                text = "".join(part.get("text") or "" for part in text if isinstance(part, dict))
            text = message.get("refusal") if text is None else text
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            raise ChatError(f"not a chat completion: {self._shown(content)!r}") from None
        if not isinstance(text, (str, type(None))):
            raise ChatError(f"not a chat completion: {self._shown(content)!r}")
        return Reply(self._safe(text or ""), self._safe(str(reason or "")), request)

    def _post(self, body: dict[str, Any]) -> bytes:
        if self._client is None:
            raise ChatError(self._problem, retry=False)
        self._wait_for_turn()
        deadline = time.monotonic() + self.timeout
        content = bytearray()
        try:
            with self._client.stream("POST", self.url, json=body) as response:
                for part in response.iter_bytes():
                    content += part
                    if time.monotonic() > deadline:
                        raise ChatError(f"no whole reply within {self.timeout:g} s")
                    if len(content) > LARGEST_REPLY:
                        raise ChatError("the reply is too long")
        except ChatError:
            raise
        except Exception as error:  # one request must not stop the others, and the text of `error` may quote the key
            raise _network_error(error, self.timeout) from None
        if response.status_code != 200:
            status, pause = response.status_code, _seconds(response.headers.get("retry-after", ""))
            message = self._shown(bytes(content))
            reason = f"HTTP {status}: {message}" if message else f"HTTP {status}"
            refusal = content.decode("utf-8", "replace") if status in REFUSED else ""
            raise ChatError(reason, status in RETRIED, pause, refusal)
        return bytes(content)

    def _shown(self, content: bytes) -> str:
        """A server's own message from the body of its reply, on one line and cut."""
        text = content.decode("utf-8", "replace")
        try:
            found = json.loads(text)
            for name in ("error", "message", "detail"):
                found = (found.get(name) or found) if isinstance(found, dict) else found
            text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
        except (ValueError, RecursionError):
            text = re.sub(
                r"<(?:style|script)\b.{0,5000}?</(?:style|script)>|<[!/a-z][^<>]{0,500}>", " ", text, flags=re.I | re.S
            )
        return " ".join(self._safe(text).split())[:SHOWN]

    def _safe(self, text: str) -> str:
        return without_secrets(valid_unicode(text), self._secrets)

    def _wait_for_turn(self) -> None:
        if not self.requests_per_minute:
            return
        with self._lock:
            start = max(time.monotonic(), self._next_start)
            self._next_start = start + 60 / self.requests_per_minute
        time.sleep(max(0.0, start - time.monotonic()))


def _check_url(url: str) -> None:
    try:
        parts = httpx.URL(url)
        usable = parts.scheme in ("http", "https") and bool(parts.host)
    except Exception:  # httpx.InvalidURL, and errors of idna
        usable = False
    if not usable:
        raise ChatError("the server's address is no http:// or https:// URL with a host; check judge_url", retry=False)


def _headers(key_variable: str) -> dict[str, str]:
    """The header with the key. Raises ChatError for a key that no header can hold, without quoting it."""
    key = os.environ.get(key_variable, "").strip().strip("\ufeff\u200b\x00").strip()
    if bad := [place for place, char in enumerate(key, start=1) if not "!" <= char <= "~"]:
        raise ChatError(
            f"{key_variable} holds a space, line break or letter that no key has (character {bad[0]} of {len(key)}); "
            "set it again",
            retry=False,
        )
    return {"Authorization": f"Bearer {key}"} if key else {}


def _network_error(error: Exception, timeout: float) -> ChatError:
    """What happened and what to check, without the text of the exception."""
    name, chain, cause = type(error).__name__, [], error
    while cause is not None and len(chain) < 10:
        chain, cause = [*chain, cause], cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException):
        return ChatError(f"no reply within {timeout:g} s")
    if any(isinstance(link, ssl.SSLError) for link in chain):
        return ChatError(f"no secure connection ({name}); check judge_url and SSL_CERT_FILE", retry=False)
    if isinstance(error, httpx.ProxyError):
        return ChatError(f"the proxy refuses the connection ({name}); check HTTPS_PROXY and HTTP_PROXY")
    if isinstance(error, httpx.ConnectError):
        return ChatError(f"no connection ({name}); check judge_url, the network and the proxies")
    if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol):
        return ChatError(f"the connection broke ({name})")
    return ChatError(f"the request cannot be sent ({name}); check judge_url", retry=False)


def _adapt(body: dict[str, Any], adapted: dict[str, str]) -> dict[str, Any]:
    named = {adapted.get(name, name): value for name, value in body.items()}
    return {name: value for name, value in named.items() if name}


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(r"[0-9]{1,5}(\.[0-9]+)?", text.strip()) else 0.0
