"""Controls of the EB-Manipulation protocol: the oracle completes every scene, random actions next to none."""

from collections.abc import Sequence

from scipy.stats import binomtest

from robotr1.evaluation.controls import UNLIKELY, BenchmarkError
from robotr1.evaluation.eb_manipulation.agents import oracle_agent, random_agent
from robotr1.evaluation.eb_manipulation.results import SUBSETS, Episode
from robotr1.evaluation.eb_manipulation.run import run_agent

LUCK = 0.01  # upper bound on the share of episodes that random actions complete


def run_controls(episodes: int, seed: int, **options) -> list[Episode]:
    """Run and check the oracle in every subset and random actions in the first, as no wording can help them.

    `options` are those of `run_agent`. Raises BenchmarkError as `check_controls`, CollectionError as `run_agent`.
    """
    oracle = run_agent(oracle_agent(), episodes, seed, **options)
    random = run_agent(random_agent(seed), episodes, seed, subsets=SUBSETS[:1], **options)
    check_controls(oracle, random)
    return oracle + random


def check_controls(oracle: Sequence[Episode], random: Sequence[Episode]) -> None:
    """Check that the oracle completes every scene, since scenes are selected for that, and random actions next to none.

    Raises:
        BenchmarkError: a control fails; the message says which.
    """
    if failed := [one for one in oracle if not one.success]:
        raise BenchmarkError(
            f"the oracle fails {len(failed)} of {len(oracle)} episodes, first {failed[0].task}, {failed[0].subset}, "
            f"scene {failed[0].episode}: the runner does not execute what the scene was tried with"
        )
    wins = sum(one.success for one in random)
    if random and binomtest(wins, len(random), LUCK, alternative="greater").pvalue < UNLIKELY:
        raise BenchmarkError(f"random actions complete {wins} of {len(random)} episodes: success is given away")
