"""A language model as judge, on any OpenAI-compatible server: GPT-4o at temperature 1 as in Robot-R1 section 3.4.

Replies are cached on disk by the content of their request, readable or not, so a second run pays for none again.
"""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robotr1.evaluation.judging.chat import Chat, ChatError, Reply
from robotr1.evaluation.judging.clean import valid_unicode
from robotr1.evaluation.judging.prompt import looks_like_injection, messages
from robotr1.evaluation.judging.reply import parse_reply
from robotr1.evaluation.judging.rubric import NO_ANSWER, Case, Judgement
from robotr1.paths import write_text

REPLY_TOKENS = 60  # expected, for the estimate of costs
SAMPLES = 2  # replies that are paid for at most to get a score; at temperature 0 a second one would be the same
CUT_OFF = "length"  # the finish_reason of a reply that ends at max_tokens
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
        max_tokens: the most tokens of a reply, its thoughts included.
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
    max_tokens: int = 2000

    @property
    def name(self) -> str:
        return self.model

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        """One verdict per case, after a printed estimate of the costs. A case without a score is `judge_failed`.

        Raises nothing where key, network, server or disk fail; the verdicts' reasons and the printed lines say so.
        """
        print(self.estimate(cases))
        bodies = self._distinct(cases)
        limits = (self.timeout, self.attempts, self.pause, self.requests_per_minute)
        with Chat(self.base_url, self.key_variable, *limits) as chat, ThreadPoolExecutor(self.concurrency) as pool:
            outcomes = dict(zip(bodies, pool.map(lambda body: self._outcome(chat, body), bodies.values())))
        for name, instead in chat.adapted.items():
            print(f"judge {self.model}: the server refuses {name}; {instead or 'its own default'} is used instead")

        def verdict(case: Case) -> Judgement:
            return _verdict(case, outcomes[self._key(self.body(case))]) if _has_answer(case) else NO_ANSWER

        verdicts = [verdict(case) for case in cases]
        if failed := [verdict.reason for verdict in verdicts if verdict.status == "judge_failed"]:
            print(f"judge {self.model}: {len(failed)} of {len(cases)} answers have no score; the first: {failed[0]}")
        return verdicts

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
        limits = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {"model": self.model, **limits, "messages": messages(case)}

    def _distinct(self, cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
        """The requests for all cases by key; equal answers share one."""
        return {self._key(body): body for body in (self.body(case) for case in cases if _has_answer(case))}

    def _outcome(self, chat: Chat, body: dict[str, Any]) -> Reply | ChatError:
        """The cached or new reply, or the reason why there is none."""
        key = self._key(body)
        if (reply := self._get(key)) is not None:
            return reply
        try:
            for _ in range(min(SAMPLES if self.temperature else 1, self.attempts)):
                reply = chat.complete(body)
                if parse_reply(reply.text) is not None or reply.finish_reason == CUT_OFF:
                    break
        except ChatError as error:
            if reply is None:
                return error
        self._put(key, reply)
        return reply

    def _key(self, body: dict[str, Any]) -> str:
        """The digest of a request; another server, model, rubric, answer or repetition gives another one."""
        content = json.dumps([self.base_url, self.repeat, body], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def _get(self, key: str) -> Reply | None:
        if not self.cache:
            return None
        try:
            content = json.loads((Path(self.cache) / f"{key}.json").read_text(encoding="utf-8"))
            text, reason = content["reply"], content.get("finish_reason", "")
            return Reply(valid_unicode(text), str(reason), {})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None  # missing or damaged: send the request again

    def _put(self, key: str, reply: Reply) -> None:
        if not self.cache:
            return
        content = {"model": self.model, "request": reply.request, "reply": reply.text}
        content["finish_reason"] = reply.finish_reason
        try:
            text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
            write_text(Path(self.cache) / f"{key}.json", text)
        except OSError as error:
            print(f"judge {self.model}: a reply is not cached ({error.strerror})")


def _verdict(case: Case, outcome: Reply | ChatError) -> Judgement:
    if isinstance(outcome, ChatError):
        return Judgement(None, "judge_failed", str(outcome))
    flag = "[the answer speaks to the judge] " if looks_like_injection(case.answer or "") else ""
    shown = outcome.text.strip()[:SHOWN]
    if (score := parse_reply(outcome.text)) is not None:
        return Judgement(score, "scored", flag + shown)
    end = "; it ends at max_tokens" if outcome.finish_reason == CUT_OFF else ""
    return Judgement(None, "judge_failed", f"{flag}no score from 0 to 3 in the reply {shown!r}{end}")


def _has_answer(case: Case) -> bool:
    return bool(case.answer and case.answer.strip())
