"""Send chat completions to an OpenAI-compatible server, with retries, a deadline and a limit on the rate."""

import json
import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

LARGEST_REPLY = 1_000_000  # bytes
RETRIED = {408, 409, 425, 429, 500, 502, 503, 504, 529}  # HTTP statuses
LONGEST_PAUSE = 60.0  # seconds


class ChatError(Exception):
    """A request without a usable reply; `retry` says whether another attempt may help, `pause` after how long."""

    def __init__(self, reason: str, retry: bool = True, pause: float = 0.0):
        super().__init__(reason)
        self.retry, self.pause = retry, pause


class Chat:
    """A connection to `POST <base_url>/chat/completions`; a context manager, and safe to use from several threads.

    Args:
        base_url: for example "https://api.openai.com/v1", or that of a local server.
        key_variable: the environment variable with the key; no key is sent where it is not set.
        timeout: seconds for a whole reply, even where the server keeps sending single bytes.
        attempts: tries for one request, the first included. The pause between them doubles from `pause` seconds, or is
            the one that the server asks for (Retry-After).
        requests_per_minute: the most that are started in a minute; 0 is no limit.
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
        self.url, self.timeout, self.attempts, self.pause = (
            f"{base_url.rstrip('/')}/chat/completions",
            timeout,
            attempts,
            pause,
        )
        self.requests_per_minute = requests_per_minute
        key = os.environ.get(key_variable, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=timeout)
        self._lock, self._next_start = threading.Lock(), 0.0

    def __enter__(self) -> "Chat":
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def complete(self, body: dict[str, Any], is_usable: Callable[[str], bool]) -> str:
        """The text of the first usable reply. Raises ChatError with the last attempt's reason."""

        def wait(state: RetryCallState) -> float:
            doubled = self.pause * 2 ** (state.attempt_number - 1)
            return min(state.outcome.exception().pause or doubled, LONGEST_PAUSE)

        retries = Retrying(
            stop=stop_after_attempt(self.attempts),
            wait=wait,
            retry=retry_if_exception(lambda error: isinstance(error, ChatError) and error.retry),
            reraise=True,
        )
        return retries(self._attempt, body, is_usable)

    def _attempt(self, body: dict[str, Any], is_usable: Callable[[str], bool]) -> str:
        content = self._post(body)
        try:
            text = json.loads(content)["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            raise ChatError(f"not a chat completion: {content[:60]!r}") from None
        if not isinstance(text, str) or not is_usable(text):
            raise ChatError(f"unusable reply {str(text)[:60]!r}")
        return text

    def _post(self, body: dict[str, Any]) -> bytes:
        self._wait_for_turn()
        deadline = time.monotonic() + self.timeout
        content = b""
        try:
            with self._client.stream("POST", self.url, json=body) as response:
                for part in response.iter_bytes():
                    content += part
                    if time.monotonic() > deadline:
                        raise ChatError(f"no whole reply within {self.timeout:g} s")
                    if len(content) > LARGEST_REPLY:
                        raise ChatError("the reply is too long")
        except httpx.TimeoutException:
            raise ChatError(f"no reply within {self.timeout:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ChatError(f"{type(error).__name__}: {error}") from None
        if response.status_code != 200:
            pause = _seconds(response.headers.get("retry-after", ""))
            raise ChatError(f"HTTP {response.status_code}", response.status_code in RETRIED, pause)
        return content

    def _wait_for_turn(self) -> None:
        if not self.requests_per_minute:
            return
        with self._lock:
            start = max(time.monotonic(), self._next_start)
            self._next_start = start + 60 / self.requests_per_minute
        time.sleep(max(0.0, start - time.monotonic()))


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(r"\d{1,5}(\.\d+)?", text.strip()) else 0.0
