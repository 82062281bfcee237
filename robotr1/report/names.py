"""Names of policies and splits for readers, and the order in which tables list them."""

import re
from collections.abc import Iterable

from robotr1.evaluation.multiple_choice.scoring import BLANK, OWN_FORM

SPLIT_NAMES = {
    "validation": "validation",
    "test_in": "test, tasks trained on",
    "test_out": "test, tasks never trained on",
}
ALGORITHM_NAMES = {"grpo": "GRPO", "rloo": "RLOO", "reinforce_plus_plus": "REINFORCE++"}
PLAIN_NAMES = {
    "oracle": "oracle",
    "random": "random guess",
    "text_only": "text only, no image",
    "majority": "most frequent answer",
    "base": "base",
    "sft-direct": "direct SFT",
    "sft-cot": "CoT SFT",
    "sft-cold_start": "cold-start SFT",
    "sft-planning": "planning SFT",
}
SUPERVISED = [policy for policy in PLAIN_NAMES if policy.startswith("sft-")]

_REINFORCED = re.compile(r"(\w+)-seed(\d+)")


def label(policy: str) -> str:
    """A policy's name in words: "grpo-seed0-blank" is "GRPO, blank image" (with its seed if that is not 0)."""
    for ending, words in ((OWN_FORM, ", own form"), (BLANK, ", blank image")):
        if policy.endswith(ending):
            return label(policy.removesuffix(ending)) + words
    if match := _REINFORCED.fullmatch(policy):
        algorithm, seed = match.groups()
        name = ALGORITHM_NAMES.get(algorithm, algorithm)
        return name if seed == "0" else f"{name} (seed {seed})"
    return PLAIN_NAMES.get(policy, policy)


def split_title(split: str) -> str:
    """A split's name in words."""
    return SPLIT_NAMES.get(split, split)


def plain_name(policy: str) -> str:
    """The policy that answered, without the form of the question: "grpo-seed0-blank" is "grpo-seed0"."""
    return policy.removesuffix(OWN_FORM).removesuffix(BLANK)


def is_reinforced(policy: str) -> bool:
    """Whether the policy was trained by reinforcement learning and sees the images."""
    return _REINFORCED.fullmatch(policy) is not None


def is_trained(policy: str) -> bool:
    """Whether the policy was trained in this study and answers with its image, in the multiple-choice form."""
    return is_reinforced(policy) or policy in SUPERVISED


def compared(policies: Iterable[str]) -> list[str]:
    """The policies that figures compare: the base, and every trained one in the form that it was trained on."""
    policies = list(policies)
    own = {policy.removesuffix(OWN_FORM) for policy in policies if policy.endswith(OWN_FORM)}
    plain = [policy for policy in policies if policy == "base" or is_trained(policy)]
    shown = [policy for policy in plain if is_reinforced(policy) or policy not in own]
    return ordered([*shown, *(policy + OWN_FORM for policy in own)])


def ordered(policies: Iterable[str]) -> list[str]:
    """Policies as tables list them: controls, base, supervised, reinforced, oracle; variants follow their policy."""

    def rank(policy: str) -> tuple:
        plain = plain_name(policy)
        fixed = ["random", "majority", "text_only", "base", *SUPERVISED]
        if is_reinforced(plain):
            algorithm = plain.partition("-")[0]
            known = list(ALGORITHM_NAMES)
            place = len(fixed) + (known.index(algorithm) if algorithm in known else len(known))
        else:
            place = fixed.index(plain) if plain in fixed else 90 if plain == "oracle" else 80
        return place, plain, policy

    return sorted(set(policies), key=rank)


def headline_policy(policies: Iterable[str]) -> str | None:
    """The reinforced policy of the main result: GRPO's first seed if there is one."""
    reinforced = [policy for policy in ordered(policies) if is_reinforced(policy)]
    return reinforced[0] if reinforced else None
