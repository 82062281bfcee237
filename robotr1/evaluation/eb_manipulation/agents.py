"""The agents of the EB-Manipulation protocol: the oracle, random actions, or a policy of the study."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from robotr1 import paths
from robotr1.evaluation.eb_manipulation.actions import LARGEST, Action
from robotr1.evaluation.eb_manipulation.scenes import EmbodiedScene
from robotr1.questions.randomness import generator

MAX_STEPS = 15  # of an episode


@dataclass(frozen=True)
class Request:
    """One prompt with its image (path relative to the repository root); `scene` is for the oracle."""

    prompt: str
    image: str
    scene: EmbodiedScene


@dataclass(frozen=True)
class Agent:
    """A policy; examples and images are made only for an agent that uses them."""

    name: str
    complete: Callable[[Sequence[Request]], Sequence[str]]  # one reply per request
    uses_images: bool = False


def oracle_agent() -> Agent:
    """The expert's waypoints as discrete actions, in the JSON form of a policy's reply."""
    return Agent("oracle", lambda requests: [_reply(request.scene.plan) for request in requests])


def random_agent(seed: int) -> Agent:
    """Plans of MAX_STEPS actions, uniform over the action space."""
    rng = generator(seed, "embodied random")

    def plan(_: Request) -> str:
        return _reply([tuple(int(rng.integers(largest + 1)) for largest in LARGEST) for _ in range(MAX_STEPS)])

    return Agent("random", lambda requests: [plan(request) for request in requests])


def policy_agent(policy: str, batch_size: int = 8, max_completion_length: int = 2048) -> Agent:
    """The policy in `models/<policy>`, greedy. Raises PolicyError for a folder without a policy."""
    from robotr1.policies.generate import complete
    from robotr1.policies.load import load_policy

    model, processor = load_policy(paths.MODELS / policy)
    lengths = {"batch_size": batch_size, "max_completion_length": max_completion_length}
    return Agent(policy, lambda requests: complete(model, processor, requests, **lengths), uses_images=True)


def _reply(plan: Sequence[Action]) -> str:
    return json.dumps({"executable_plan": [{"action": str(list(action))} for action in plan]})
