"""Controls of the closed loop: the oracle completes every task, the random agent is not above chance."""

from collections.abc import Sequence

from robotr1.evaluation.closed_loop.agents import oracle_agent, random_agent
from robotr1.evaluation.closed_loop.forms import Form, MultipleChoiceForm
from robotr1.evaluation.closed_loop.results import Trace
from robotr1.evaluation.closed_loop.run import Source, run_agent
from robotr1.evaluation.controls import check_chance, check_oracle
from robotr1.settings import BuildQuestions

LUCK = 0.01  # upper bound on the share of episodes that random coordinates complete


def run_controls(
    form: Form,
    tasks: Sequence[str],
    episodes: int,
    seed: int,
    settings: BuildQuestions,
    *,
    source: Source = "tabletop",
    image_size: int = 224,
) -> list[Trace]:
    """Run and check the oracle and the random agent in a form; `settings` are those of its questions.

    Raises BenchmarkError as `check_controls`, KeyError and RLBenchMissing as `run_agent`.
    """
    traces = []
    for agent in (oracle_agent(form), random_agent(form, seed)):
        traces += run_agent(agent, tasks, episodes, seed, settings.state, source=source, image_size=image_size)
    check_controls(traces, 1 / settings.options if isinstance(form, MultipleChoiceForm) else LUCK)
    return traces


def check_controls(traces: Sequence[Trace], chance: float) -> None:
    """Check that the oracle completes every episode, and the random agent no more than single guesses would.

    `chance` is the probability of one right guess. Every task needs at least one right position (the cup, the button)
    and most need more, so the random agent's success rate is at most `chance`.

    Raises BenchmarkError, which names the first failed episode or the random agent's rate.
    """
    oracle = {f"{one.task}, episode {one.episode} ({one.reason})": one.success for one in _of("oracle", traces)}
    check_oracle("closed loop", oracle, "the loop does not execute what the script does")
    random = [one.success for one in _of("random", traces)]
    check_chance("closed loop", random, chance, "the loop gives the answers away", at_most=True)


def _of(policy: str, traces: Sequence[Trace]) -> list[Trace]:
    return [trace for trace in traces if trace.policy == policy]
