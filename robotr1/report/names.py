"""How policies and splits are called, ordered, coloured and marked everywhere in the report, and numbers written."""

from collections.abc import Iterable

import pandas as pd

from robotr1.policies.names import OPEN_FORM, parse_name

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
# Okabe and Ito's colours, which the colour-blind can tell apart; markers differ too.
FIXED_STYLES = {
    "random": ("#000000", "x"),
    "majority": ("#000000", "1"),
    "text_only": ("#000000", "+"),
    "oracle": ("#000000", "*"),
    "base": ("#7F7F7F", "o"),
    "sft-direct": ("#E69F00", "v"),
    "sft-cot": ("#56B4E9", "^"),
}
REINFORCED_STYLES = (
    ("#0072B2", "D"),
    ("#D55E00", "s"),
    ("#CC79A7", "P"),
    ("#009E73", "X"),
    ("#000000", "<"),
    ("#F0E442", ">"),
)


def label(policy: str) -> str:
    """A policy's name in words: "grpo-seed0-blank" is "GRPO, blank image" (with the seed where it is not 0)."""
    name = parse_name(policy)
    if name.reinforced:
        words = ALGORITHM_NAMES.get(name.algorithm, name.algorithm) + (f" (seed {name.seed})" if name.seed else "")
    else:
        words = PLAIN_NAMES.get(name.policy, name.policy)
    return words + ", blank image" * (name.images == "blank") + ", open form" * (name.form == "open")


def is_reinforced(policy: str) -> bool:
    """Whether the policy was trained by reinforcement learning and sees the images."""
    return parse_name(policy).reinforced and parse_name(policy).plain


def is_trained(policy: str) -> bool:
    """Whether the policy was trained in this study, and answers with its image and in the form of all."""
    return is_reinforced(policy) or policy in SUPERVISED


def compared(policies: Iterable[str]) -> list[str]:
    """The policies that figures compare: the base, and every trained one as it was trained to answer."""
    policies = list(policies)
    own = {policy.removesuffix(OPEN_FORM) for policy in policies if policy.endswith(OPEN_FORM)}
    plain = [policy for policy in policies if policy == "base" or is_trained(policy)]
    shown = [policy for policy in plain if is_reinforced(policy) or policy not in own]
    return ordered([*shown, *(policy + OPEN_FORM for policy in own)])


def ordered(policies: Iterable[str]) -> list[str]:
    """Policies as tables list them: controls, base, supervised, reinforced, oracle; variants behind their policy."""

    def rank(policy: str) -> tuple:
        plain = parse_name(policy).policy
        fixed = ["random", "majority", "text_only", "base", *SUPERVISED]
        if is_reinforced(plain):
            algorithm = parse_name(policy).algorithm
            known = list(ALGORITHM_NAMES)
            place = len(fixed) + (known.index(algorithm) if algorithm in known else len(known))
        else:
            place = fixed.index(plain) if plain in fixed else 90 if plain == "oracle" else 80
        return place, plain, policy

    return sorted(set(policies), key=rank)


def headline_policy(policies: Iterable[str]) -> str | None:
    """The reinforced policy that the report speaks of first: GRPO's first seed where there is one."""
    reinforced = [policy for policy in ordered(policies) if is_reinforced(policy)]
    return reinforced[0] if reinforced else None


def style(policies: Iterable[str]) -> dict[str, dict[str, str]]:
    """A colour and a marker for each policy: base and supervised ones keep theirs, the others take theirs in order."""
    looks, number = {}, 0
    for policy in ordered(policies):
        known = FIXED_STYLES.get(parse_name(policy).policy)
        color, marker = known or REINFORCED_STYLES[number % len(REINFORCED_STYLES)]
        number += known is None
        looks[policy] = {"color": color, "marker": marker}
    return looks


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Rows sorted by policy in the report's order; other columns keep theirs."""
    place = {policy: i for i, policy in enumerate(ordered(table["policy"]))}
    return table.sort_values("policy", key=lambda names: names.map(place), kind="stable").reset_index(drop=True)


def interval(value: float, low: float, high: float) -> str:
    """ "71.6 [68.8, 74.2]" in percent."""
    return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def points(difference: float, low: float, high: float) -> str:
    """ "+12.2 [+9.3, +15.2]" in points of percent."""
    return f"{100 * difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def printable(text: str, limit: int | None = None) -> str:
    """A completion made safe to show: control characters as "�", at most `limit` characters."""
    shown = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"
