"""The test of a claim of the paper, stated before any result: what evidence it needs, and which verdict follows."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["agrees", "contradicts", "not told apart", "not run"]
VERDICTS: tuple[Verdict, ...] = ("agrees", "contradicts", "not told apart", "not run")
SEEDS = 3  # training runs, at least
EPISODES = 100  # where whole episodes are counted, at least
RULE = (
    f"A claim is tested with at least {SEEDS} training seeds, and at least {EPISODES} episodes where episodes are "
    "counted. It agrees with the paper, or contradicts it, if the interval of the difference excludes zero and all "
    "seeds have its sign. Otherwise the two are not told apart."
)


@dataclass(frozen=True)
class Evidence:
    """A measured difference with its interval; `n` is the number of questions or episodes, None if unknown."""

    difference: float
    low: float
    high: float
    n: int | None
    seeds: int
    seeds_agree: bool  # whether every seed has the sign of the difference
    counts_episodes: bool = False  # whether `n` counts whole episodes


def verdict(expected: float, evidence: Evidence | None) -> Verdict:
    """The verdict on a claim whose difference has the sign of `expected` in the paper; None was not run.

    Raises ValueError if `expected` is zero: such a claim has no direction.
    """
    if not expected:
        raise ValueError("a claim needs a direction, and got 0")
    if evidence is None:
        return "not run"
    enough = evidence.seeds >= SEEDS and not (evidence.counts_episodes and (evidence.n or 0) < EPISODES)
    clear = evidence.low > 0 or evidence.high < 0
    if not (enough and clear and evidence.seeds_agree):
        return "not told apart"
    return "agrees" if (evidence.difference > 0) == (expected > 0) else "contradicts"
