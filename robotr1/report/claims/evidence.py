"""Evidence for claims: differences from the study's own results, and from the committed metrics of the ablation."""

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from robotr1 import paths
from robotr1.evaluation.closed_loop.results import Trace
from robotr1.evaluation.eb_manipulation.results import Episode
from robotr1.report.claims.rule import Evidence
from robotr1.report.results import Results
from robotr1.report.style.tables import find_row
from robotr1.statistics import mean_interval

ABLATION = paths.ROOT / "experiments/ablation/metrics/report.json"


def read_ablation(file: Path = ABLATION) -> dict[str, Any]:
    """The ablation's differences by the name of the comparison and split, with their number of seeds; empty if it was
    not run."""
    content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"differences": {}}
    found = {}
    for name, by_split in content["differences"].items():
        comparison = name.partition(" (")[0].replace("own form", "open form")
        runs = [side.partition(",")[0] for side in comparison.split(" − ")]
        seeds = max(len(list(file.parent.glob(f"{run}-*.json"))) for run in runs)  # one file for each run and seed
        found[comparison] = {split: row | {"seeds": seeds} for split, row in by_split.items()}
    return found


def gain(results: Results, split: str) -> Evidence | None:
    """Accuracy of GRPO minus that of the base in percentage points, over GRPO's seeds."""
    row = find_row(results.seeds, algorithm="grpo", split=split, type="all")
    base = find_row(results.accuracy, policy="base", split=split, type="all")
    if row is None or base is None or np.isnan(row["gain"]):
        return None
    agree = row["lowest"] > base["accuracy"] or row["highest"] < base["accuracy"]
    points = (100 * row[name] for name in ("gain", "gain_low", "gain_high"))
    return Evidence(*points, n=int(row["questions"]), seeds=int(row["seeds"]), seeds_agree=bool(agree))


def ablation(differences: dict[str, Any], comparison: str, split: str) -> Evidence | None:
    """One comparison of the ablation, such as "rloo − grpo", in percentage points."""
    row = differences.get(comparison, {}).get(split)
    if row is None:
        return None
    clear = row["low"] > 0 or row["high"] < 0
    points = (100 * row[name] for name in ("difference", "low", "high"))
    agree = clear and row["verdict"] != "not told apart"
    return Evidence(*points, n=row.get("questions"), seeds=row["seeds"], seeds_agree=agree)


def open_questions(
    results: Results, policies: Sequence[str], baseline: str, abilities: Iterable[str]
) -> Evidence | None:
    """Judge's score (0 to 3) of `policies`, one for each seed, minus that of `baseline` on the items of `abilities`.

    The interval resamples whole frames.
    """
    rows = [row for row in results.study.open_questions if row.judge == results.study.open_questions[0].judge]
    rows = [row for row in rows if row.ability in set(abilities) and row.judgement.score is not None]
    scores: dict[str, dict[Hashable, float]] = {}
    for row in rows:
        scores.setdefault(row.policy, {})[row.id] = row.judgement.score
    return _paired(results, scores, policies, baseline, {row.id: row.frame for row in rows})


def success(results: Results, rows: Iterable[Trace | Episode], policies: Sequence[str]) -> Evidence | None:
    """Success of `policies`, one for each seed, minus that of the base in percentage points, on the same placements."""
    done: dict[str, dict[Hashable, float]] = {}
    for row in rows:
        placement = (row.task, row.episode, getattr(row, "subset", ""))
        done.setdefault(row.policy, {})[placement] = 100.0 * row.success
    found = _paired(results, done, policies, "base")
    return found and replace(found, counts_episodes=True)


def _paired(
    results: Results,
    scores: Mapping[str, Mapping[Hashable, float]],
    policies: Sequence[str],
    baseline: str,
    clusters: Mapping[Hashable, Hashable] | None = None,
) -> Evidence | None:
    """Mean difference on shared items, each averaged over seeds, with its interval over items or whole clusters."""
    ours, theirs = [scores[name] for name in policies if name in scores], scores.get(baseline, {})
    shared = sorted(set(theirs).intersection(*ours)) if ours else []
    if not shared:
        return None
    each = [mean(one[item] - theirs[item] for one in ours) for item in shared]
    groups = [clusters[item] for item in shared] if clusters else None
    difference, low, high = mean_interval(each, results.settings.confidence, results.settings.seed, groups)
    by_seed = [sum(one[item] - theirs[item] for item in shared) for one in ours]
    agree = all(value * difference > 0 for value in by_seed)
    return Evidence(difference, low, high, n=len(shared), seeds=len(ours), seeds_agree=agree)
