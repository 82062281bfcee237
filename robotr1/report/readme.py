"""Update the generated parts of README.md and docs/: `python -m robotr1.report.readme`.

Lines between `<!-- begin: name -->` and `<!-- end: name -->` are generated: in README.md `results` (accuracies) and
`stages` (time and memory), in docs/results.md `claims` (the paper's claims, tested) and `faithfulness` (whether answers
depend on thoughts). docs/modules.md is generated as a whole.
"""

import re
import sys
from pathlib import Path

import pandas as pd

from robotr1 import paths
from robotr1.evaluation.multiple_choice.results import TYPES
from robotr1.policies.names import OPEN_FORM
from robotr1.report import modules
from robotr1.report.claims.rule import RULE
from robotr1.report.sections.faithfulness import finding
from robotr1.report.style.names import headline_policy, label, ordered
from robotr1.report.style.tables import find_row, markdown
from robotr1.report.style.text import interval

README = paths.ROOT / "README.md"
RESULTS = paths.ROOT / "docs/results.md"
STAGE_TIMES = paths.ROOT / "performance/results/stage_times.md"
COLUMNS = [("test_in", kind) for kind in TYPES] + [("test_out", "all")]


class ReadmeError(ValueError):
    """A page lacks a mark, or a source of its generated parts is missing."""


def results_section(reports: Path = paths.REPORTS) -> str:
    """Accuracies in percent on `test_in` by type and on `test_out`; Wilson's intervals if types are pooled."""
    table = pd.read_csv(reports / "tables/accuracy.csv")
    rows = []
    for policy in ordered(table["policy"]):
        row = {"accuracy (%)": label(policy)}
        for split, kind in COLUMNS:
            title = kind if split == "test_in" else "all, held-out tasks"
            row[title] = _cell(find_row(table, policy=policy, split=split, type=kind), policy, kind)
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def _cell(row: pd.Series | None, policy: str, kind: str) -> str:
    if row is None:
        return "–"
    text = interval(row["accuracy"], row["low"], row["high"]) if kind == "all" else f"{100 * row['accuracy']:.1f}"
    return text + (" *" if kind == "all" and policy.endswith(OPEN_FORM) else "")


def faithfulness_section(reports: Path = paths.REPORTS) -> str:
    """What the faithfulness benchmark found for base and headline policy on `test_in`; empty if it was not run."""
    file = reports / "tables/faithfulness.csv"
    if not file.is_file():
        return ""
    table = pd.read_csv(file).query("split == 'test_in'")
    told = [policy for policy in ("base", headline_policy(table["policy"])) if policy in set(table["policy"])]
    return "".join(f"- {finding(table, policy, 'test_in')}\n" for policy in told)


def claims_section(reports: Path = paths.REPORTS) -> str:
    """The paper's claims with our differences and the verdicts, and their figure; empty if they were not tested."""
    file = reports / "claims.csv"
    if not file.is_file():
        return ""
    rows = [
        {
            "claim": row.claim,
            "the paper": row.paper,
            "here": "" if pd.isna(row.ours) else f"{row.ours:+.2f} [{row.low:+.2f}, {row.high:+.2f}]",
            "verdict": row.verdict,
        }
        for row in pd.read_csv(file, dtype={"paper": str}).itertuples()
    ]
    figure = "![The paper's claims, tested here](../reports/figures/claims.png)"
    return f"{RULE}\n\n{markdown(pd.DataFrame(rows))}\n{figure}\n"


def fill(text: str, sections: dict[str, str]) -> str:
    """`text` with the lines between each section's marks replaced. Raises ReadmeError if a mark is missing."""
    for name, content in sections.items():
        begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
            raise ReadmeError(f"a page needs one {begin!r} and, below it, one {end!r}")
        pattern = re.compile(f"({re.escape(begin)}).*({re.escape(end)})", re.DOTALL)
        text = pattern.sub(lambda match, content=content: f"{match[1]}\n\n{content.strip()}\n\n{match[2]}", text)
    return text


def generated(reports: Path = paths.REPORTS, stage_times: Path = STAGE_TIMES) -> dict[Path, dict[str, str]]:
    """The generated sections of each page. Raises ReadmeError if one of their sources is missing."""
    try:
        stages = stage_times.read_text(encoding="utf-8")  # performance/stage_times.py writes it
        return {
            README: {"results": results_section(reports), "stages": stages},
            RESULTS: {"claims": claims_section(reports), "faithfulness": faithfulness_section(reports)},
        }
    except FileNotFoundError as error:
        raise ReadmeError(f"{error.filename} is missing; run `make study`, then performance/stage_times.py") from None


if __name__ == "__main__":
    try:
        for page, sections in generated().items():
            paths.write_text(page, fill(page.read_text(encoding="utf-8"), sections))
    except ReadmeError as error:
        sys.exit(f"error: {error}")
    paths.write_text(modules.OUTPUT, modules.module_list())
