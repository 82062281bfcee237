"""Controls of the EB-Manipulation protocol: the oracle completes every scene, random actions next to none."""

from collections.abc import Sequence

from robotr1.evaluation.controls import check_chance, check_oracle
from robotr1.evaluation.eb_manipulation.agents import oracle_agent, random_agent
from robotr1.evaluation.eb_manipulation.results import SUBSETS, Episode
from robotr1.evaluation.eb_manipulation.run import run_agent

NAME = "EB-Manipulation"
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

    Raises BenchmarkError, which names the first failed scene or the random agent's rate.
    """
    scores = {f"{one.task}, {one.subset}, scene {one.episode}": one.success for one in oracle}
    check_oracle(NAME, scores, "the runner does not execute the actions that the scene was selected with")
    check_chance(NAME, [one.success for one in random], LUCK, "success is given away", at_most=True)
