"""A language model as judge, on any OpenAI-compatible server: GPT-4o at temperature 1 as in Robot-R1 section 3.4.

Replies are cached on disk by the content of their request, so a second run pays for none of them again.
"""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robotr1.evaluation.judging.chat import Chat, ChatError
from robotr1.evaluation.judging.prompt import looks_like_injection, messages, parse_reply
from robotr1.evaluation.judging.rubric import NO_ANSWER, Case, Judgement
from robotr1.paths import write_text

REPLY_TOKENS = 60  # expected, for the estimate of costs
SHOWN = 300  # characters of a reply in the verdict's reason


@dataclass
class EndpointJudge:
    """Sends every case whose reply is not cached to `<base_url>/chat/completions`.

    Args:
        base_url: for example "https://api.openai.com/v1", or that of a local server.
        model: the server's name of the model.
        cache: folder of replies, one small JSON file each; None caches nothing.
        key_variable: the environment variable with the key; no key is sent where it is not set.
        timeout, attempts, pause, requests_per_minute: see `Chat`.
        concurrency: requests at a time.
        prices: US dollars for a million input and output tokens; None where they are unknown.
        repeat: the number of an independent repetition, to measure the judge's agreement with itself.
    """

    base_url: str
    model: str
    cache: Path | None = None
    key_variable: str = "OPENAI_API_KEY"
    temperature: float = 1.0
    timeout: float = 60.0
    attempts: int = 5
    pause: float = 1.0
    concurrency: int = 4
    requests_per_minute: float = 0.0
    prices: tuple[float, float] | None = None
    repeat: int = 0

    @property
    def name(self) -> str:
        return self.model

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        """One verdict per case, after a printed estimate of the costs. A case without a score is `judge_failed`."""
        print(self.estimate(cases))
        bodies = self._distinct(cases)
        limits = (self.timeout, self.attempts, self.pause, self.requests_per_minute)
        with Chat(self.base_url, self.key_variable, *limits) as chat, ThreadPoolExecutor(self.concurrency) as pool:
            outcomes = dict(zip(bodies, pool.map(lambda body: self._outcome(chat, body), bodies.values())))

        def verdict(case: Case) -> Judgement:
            return _verdict(case, outcomes[self._key(self.body(case))]) if _has_answer(case) else NO_ANSWER

        return [verdict(case) for case in cases]

    def estimate(self, cases: Sequence[Case]) -> str:
        """One line: the number of cached replies and of requests, their tokens, and the price where it is known."""
        bodies = self._distinct(cases)
        requests = [body for key, body in bodies.items() if self._get(key) is None]
        tokens = sum(len(json.dumps(body)) for body in requests) // 4
        cost = "price not stated"
        if self.prices:
            cost = f"about {(tokens * self.prices[0] + len(requests) * REPLY_TOKENS * self.prices[1]) / 1e6:.2f} USD"
        return (
            f"judge {self.model}: {len(cases)} answers, {len(bodies) - len(requests)} replies cached, "
            f"{len(requests)} requests to send, about {tokens} tokens, {cost}"
        )

    def body(self, case: Case) -> dict[str, Any]:
        """The request for a case."""
        return {"model": self.model, "temperature": self.temperature, "max_tokens": 200, "messages": messages(case)}

    def _distinct(self, cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
        """The requests for all cases by key; equal answers share one."""
        return {self._key(body): body for body in (self.body(case) for case in cases if _has_answer(case))}

    def _outcome(self, chat: Chat, body: dict[str, Any]) -> str | ChatError:
        """The cached or new reply, or the reason why there is none."""
        key = self._key(body)
        if (reply := self._get(key)) is not None:
            return reply
        try:
            reply = chat.complete(body, lambda text: parse_reply(text) is not None)
        except ChatError as error:
            return error
        self._put(key, body, reply)
        return reply

    def _key(self, body: dict[str, Any]) -> str:
        """The digest of a request; another server, model, rubric, answer or repetition gives another one."""
        content = json.dumps([self.base_url, self.repeat, body], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def _get(self, key: str) -> str | None:
        if not self.cache:
            return None
        try:
            reply = json.loads((Path(self.cache) / f"{key}.json").read_text(encoding="utf-8"))["reply"]
        except (OSError, ValueError, KeyError, TypeError):
            return None  # missing or damaged: send the request again
        return reply if isinstance(reply, str) and parse_reply(reply) is not None else None

    def _put(self, key: str, body: dict[str, Any], reply: str) -> None:
        if self.cache:
            content = {"model": self.model, "request": body, "reply": reply}
            text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
            write_text(Path(self.cache) / f"{key}.json", text)


def _verdict(case: Case, outcome: str | ChatError) -> Judgement:
    if isinstance(outcome, ChatError):
        return Judgement(None, "judge_failed", str(outcome))
    flag = "[the answer speaks to the judge] " if looks_like_injection(case.answer or "") else ""
    return Judgement(parse_reply(outcome), "scored", flag + outcome.strip()[:SHOWN])


def _has_answer(case: Case) -> bool:
    return bool(case.answer and case.answer.strip())
