"""Section "claims": the paper's claims beside our evidence, one table and one figure."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from robotr1.report.claims.claims import Claim, make_claims
from robotr1.report.claims.rule import RULE, VERDICTS
from robotr1.report.results import Results
from robotr1.report.section import Drawing, Section, Table
from robotr1.report.style.figures import WIDTH, legend_below
from robotr1.report.style.text import listed

LOOKS = {
    "agrees": {"color": "#0072B2", "marker": "D"},
    "contradicts": {"color": "#D55E00", "marker": "s"},
    "not told apart": {"color": "#7F7F7F", "marker": "o"},
}


def sentences(results: Results) -> list[str]:
    """The rule, and how many claims have which verdict."""
    verdicts = [claim.verdict for claim in make_claims(results)]
    counted = [f"{verdicts.count(name)} {name}" for name in VERDICTS]
    return [f"{RULE} The paper's models and questions are others, so only directions compare.", f"{listed(counted)}."]


def claims_table(results: Results) -> pd.DataFrame:
    """One row per claim: its verdict, the paper's difference and ours with its interval, counts and source."""
    rows = []
    for claim in make_claims(results):
        found = claim.evidence
        ours = found and f"{found.difference:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"
        rows.append(
            {
                "claim": claim.text,
                "verdict": claim.verdict,
                "the paper": "+" if claim.paper is None else f"{claim.paper:+.2f}",
                "ours": ours or "",
                "in": claim.unit,
                "n": str(found.n) if found and found.n else "",
                "seeds": str(found.seeds) if found else "",
                "the paper's number": claim.source,
            }
        )
    return pd.DataFrame(rows)


def draw_claims(results: Results) -> Figure | None:
    """Our differences with their intervals, one panel for each unit, coloured by verdict."""
    panels: dict[str, list[Claim]] = {}
    for claim in make_claims(results):
        if claim.evidence is not None:
            panels.setdefault(claim.unit, []).append(claim)
    if not panels:
        return None
    sizes = [len(claims) for claims in panels.values()]
    size = (WIDTH, 0.9 + 0.55 * len(sizes) + 0.24 * sum(sizes))
    figure, axes = plt.subplots(
        len(sizes), 1, figsize=size, height_ratios=[count + 1 for count in sizes], layout="constrained", squeeze=False
    )
    for axis, (unit, claims) in zip(axes[:, 0], panels.items()):
        for place, claim in enumerate(claims):
            found, look = claim.evidence, LOOKS[claim.verdict]
            span = [[found.difference - found.low], [found.high - found.difference]]
            axis.errorbar(found.difference, place, xerr=span, linestyle="", markersize=5, label=claim.verdict, **look)
            sign = "+" if claim.paper is None or claim.paper > 0 else "−"
            axis.annotate(sign, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=9)
        axis.axvline(0, color="black", linewidth=1)
        axis.set_yticks(range(len(claims)), [claim.text for claim in claims], fontsize=6.5)
        axis.set(ylim=(len(claims) - 0.4, -0.6))
        axis.set_xlabel(f"difference ({unit})", fontsize=8)
        axis.tick_params(axis="x", labelsize=8)
        axis.grid(False, axis="y")
    legend_below(figure)
    return figure


SECTION = Section(
    name="claims",
    title="The paper's claims",
    sentences=sentences,
    drawings={
        "claims": Drawing(
            "The paper's claims, tested here",
            "Our differences with their intervals, coloured by verdict; the sign on the right is the paper's. "
            "Claims that were not run are in the table only.",
            draw_claims,
        )
    },
    tables={"claims": Table("Claims, the paper's differences, ours, and the verdicts", claims_table)},
)
