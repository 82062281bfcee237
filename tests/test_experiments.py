"""experiments.md: every command composes into settings that can be trained."""

import re
import shlex
from functools import cache

import pytest

from robotr1 import paths, profiles, settings
from robotr1.ablation.plan import read_plan

PAGE = (paths.ROOT / "docs/experiments.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and "dvc exp run" in line
]
LINES = sorted({row[1].strip("`") for row in ROWS})
SIZES = ("steps", "lora_rank", "lora_alpha")  # what the page says to leave out on a laptop


@cache
def parsed(line):
    """The experiment's name, its profile and its other overrides."""
    words = shlex.split(line)
    assert words[:4] == ["dvc", "exp", "run", "-n"]
    assert set(words[5::2]) == {"-S"}
    changes = dict(change.split("=", 1) for change in words[6::2])
    assert len(changes) == len(words[6::2]), "nothing is set twice"
    return words[4], changes.pop("profile"), changes


def test_every_row_of_the_papers_tables_is_there():
    counts = {title: len(re.findall(r"`dvc exp run", part)) for title, part in sections().items()}
    assert {title.partition(":")[0]: count for title, count in counts.items()} == {
        "Table 7": 3, "Table 8": 4, "Table 9": 5, "Table 13": 3, "Further experiments": 6,
    }  # fmt: skip
    assert len(ROWS) == sum(counts.values())


def sections():
    titled = (part.partition("\n") for part in PAGE.split("\n## ")[1:])
    return {title: body for title, _, body in titled}


def test_one_name_one_experiment():
    names = [parsed(line)[0] for line in LINES]
    assert len(set(names)) == len(LINES)


@pytest.mark.parametrize("tiny", [False, True], ids=["as it stands", "tiny"])
@pytest.mark.parametrize("line", LINES, ids=lambda line: parsed(line)[0])
def test_a_line_composes_into_settings_that_can_be_trained(tmp_path, line, tiny):
    _, profile, changes = parsed(line)
    if tiny:
        profile, changes = "laptop", {k: v for k, v in changes.items() if k.rpartition(".")[2] not in SIZES}
    profiles.compose(profile, tmp_path / "params.yaml", [f"{name}={value}" for name, value in changes.items()])
    composed = settings.load_settings(tmp_path / "params.yaml")
    for name, value in changes.items():
        section, field = name.split(".")
        assert str(getattr(composed[section], field)).replace("'", "") == plain(value), name
    imitated, reinforced = composed["finetune_sft"], composed["train_grpo"]
    if reinforced.start != "base":
        assert reinforced.start.removeprefix("sft-") in composed["policies"].forms
        assert (imitated.lora_rank, imitated.lora_alpha) == (reinforced.lora_rank, reinforced.lora_alpha)
    written = {"mcqa", *composed["build_questions"].forms}
    assert {reinforced.form, *(form for form in composed["policies"].forms if form == "planning")} <= written


def plain(value):
    """An override's value as Python prints it."""
    return str(float(value)) if re.fullmatch(r"\d+\.\d+", value) else value


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_policies_and_a_run_that_there_are(row):
    _, _, changes = parsed(row[1].strip("`"))
    trained = {"base"}
    forms, algorithms, seeds = (changes.get(f"policies.{name}", "") for name in ("forms", "algorithms", "seeds"))
    trained |= {f"sft-{form}" for form in re.findall(r"\w+", forms)}
    trained |= {f"{a}-seed{s}" for a in re.findall(r"\w+", algorithms) for s in re.findall(r"\d", seeds or "0")}
    assert set(re.findall(r"`([\w-]+)`", row[3])) <= trained
    assert set(re.findall(r"`(\w+)`", row[4])) <= set(read_plan()["runs"])


def test_the_readme_points_here():
    assert "(docs/experiments.md)" in (paths.ROOT / "README.md").read_text(encoding="utf-8")
