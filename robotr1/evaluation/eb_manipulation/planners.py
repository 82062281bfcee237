"""Who plans in the EB-Manipulation protocol: the oracle, random actions, or a policy of this study."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from robotr1 import paths
from robotr1.evaluation.eb_manipulation.actions import LARGEST, Action
from robotr1.evaluation.eb_manipulation.scenes import EmbodiedScene
from robotr1.questions.randomness import generator

MOST_STEPS = 15  # of an episode


@dataclass(frozen=True)
class Request:
    """What a policy is asked; `scene` is for the oracle."""

    prompt: str
    image: str
    scene: EmbodiedScene


@dataclass(frozen=True)
class Planner:
    """A policy: `complete` writes one reply per request; only one that `sees` is shown examples and pictures."""

    name: str
    complete: Callable[[Sequence[Request]], Sequence[str]]
    sees: bool = False


def oracle() -> Planner:
    """The expert's waypoints as discrete actions, in the JSON form that policies write."""
    return Planner("oracle", lambda requests: [_reply(request.scene.plan) for request in requests])


def random_planner(seed: int) -> Planner:
    """Plans of MOST_STEPS actions drawn evenly from the action space."""
    rng = generator(seed, "embodied random")

    def plan(_: Request) -> str:
        return _reply([tuple(int(rng.integers(largest + 1)) for largest in LARGEST) for _ in range(MOST_STEPS)])

    return Planner("random", lambda requests: [plan(request) for request in requests])


def policy_planner(policy: str, batch_size: int = 8, max_completion_length: int = 2048) -> Planner:
    """The policy in `models/<policy>`, greedy. Raises PolicyError for a folder without a policy."""
    from robotr1.policies.generate import complete
    from robotr1.policies.load import load_policy

    model, processor = load_policy(paths.MODELS / policy)
    lengths = {"batch_size": batch_size, "max_completion_length": max_completion_length}
    return Planner(policy, lambda requests: complete(model, processor, requests, **lengths), sees=True)


def _reply(plan: Sequence[Action]) -> str:
    return json.dumps({"executable_plan": [{"action": str(list(action))} for action in plan]})
