"""Names of policies and splits for readers, and the order in which tables list them."""

from collections.abc import Iterable

from robotr1.policies.names import parse_name

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


def label(policy: str) -> str:
    """A policy's name in words: "grpo-seed0-blank" is "GRPO, blank image" (with its seed if that is not 0)."""
    name = parse_name(policy)
    if name.reinforced:
        words = ALGORITHM_NAMES.get(name.algorithm, name.algorithm) + (f" (seed {name.seed})" if name.seed else "")
    else:
        words = PLAIN_NAMES.get(name.policy, name.policy)
    return words + ", blank image" * (name.images == "blank") + ", open form" * (name.form == "open")


def split_title(split: str) -> str:
    """A split's name in words."""
    return SPLIT_NAMES.get(split, split)


def is_reinforced(policy: str) -> bool:
    """Whether the policy was trained by reinforcement learning and sees the images."""
    return parse_name(policy).reinforced and parse_name(policy).plain


def is_trained(policy: str) -> bool:
    """Whether the policy was trained in this study and answers with its image, in the multiple-choice form."""
    return parse_name(policy).algorithm is not None and parse_name(policy).plain


def compared(policies: Iterable[str]) -> list[str]:
    """The policies that figures compare: the base, and every trained one in the form that it was trained on."""
    names = {policy: parse_name(policy) for policy in policies}
    asked_openly = {name.policy for name in names.values() if name.form == "open"}
    shown = [policy for policy, name in names.items() if name.form == "open"]
    shown += [policy for policy in names if policy == "base" or is_reinforced(policy)]
    return ordered(shown + [policy for policy in names if is_trained(policy) and policy not in asked_openly])


def ordered(policies: Iterable[str]) -> list[str]:
    """Policies as tables list them: controls, base, supervised, reinforced, oracle; variants follow their policy."""
    fixed, known = ["random", "majority", "text_only", "base", *SUPERVISED], list(ALGORITHM_NAMES)

    def rank(policy: str) -> tuple:
        name = parse_name(policy)
        if name.reinforced:
            place = len(fixed) + (known.index(name.algorithm) if name.algorithm in known else len(known))
        elif name.policy in fixed:
            place = fixed.index(name.policy)
        else:
            place = 90 if name.policy == "oracle" else 80
        return place, name.policy, policy

    return sorted(set(policies), key=rank)


def headline_policy(policies: Iterable[str]) -> str | None:
    """The reinforced policy of the main result: GRPO's first seed if there is one."""
    reinforced = [policy for policy in ordered(policies) if is_reinforced(policy)]
    return reinforced[0] if reinforced else None
