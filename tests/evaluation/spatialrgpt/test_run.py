"""Controls and policies are evaluated on the committed and on published items, in Python and from the command line."""

import json
import sys
from collections import Counter
from dataclasses import replace

import pytest
from PIL import Image
from published_form import published

from robotr1.evaluation.controls import BenchmarkError
from robotr1.evaluation.spatialrgpt import __main__ as command
from robotr1.evaluation.spatialrgpt import results
from robotr1.evaluation.spatialrgpt import run as spatialrgpt
from robotr1.evaluation.spatialrgpt.items import read_items
from robotr1.settings import load_settings

SETTINGS = load_settings()["run_benchmarks"]
ALL = read_items()


@pytest.fixture
def asked(monkeypatch):
    """(policy, settings, cache, sizes of the images) of every policy that is loaded; it repeats the references."""
    calls = []

    def load_completer(policy, settings, folder):
        def ask(items):
            calls.append((policy, settings, folder, [Image.open(item.image).size for item in items]))
            return [f"<answer> {item.reference} </answer>" for item in items]

        return ask

    monkeypatch.setattr(spatialrgpt, "load_completer", load_completer)
    return calls


def test_a_policy_answers_a_selection_on_images_with_regions(asked, tmp_path):
    rows = spatialrgpt.evaluate(["perfect"], ALL, 24, SETTINGS, tmp_path)
    assert asked == [("perfect", SETTINGS, tmp_path, [(224, 224)] * 24)]
    assert Counter(row.policy for row in rows) == dict.fromkeys(("oracle", "random", "majority", "perfect"), 24)
    assert all(row.correct for row in rows if row.policy == "perfect")
    assert {row.image for row in rows} <= {item.image for item in ALL}, "not the temporary images"


def test_no_questions_load_no_policy(asked):
    assert spatialrgpt.evaluate(["perfect"], ALL, 0, SETTINGS) == []
    assert not asked


def test_broken_items_stop_the_run_before_a_policy_is_loaded(asked):
    with pytest.raises(BenchmarkError):
        spatialrgpt.evaluate(["perfect"], [replace(ALL[0], reference="far")], 1, SETTINGS)
    assert not asked


def test_the_command_line(asked, tmp_path, monkeypatch, capsys):
    output = str(tmp_path / "out")
    arguments = ["--policy", "perfect", "--questions", "12", "--seed", "3", "--output", output]
    monkeypatch.setattr(sys, "argv", ["spatialrgpt", *arguments])
    command.main()
    assert [call[:3] for call in asked] == [("perfect", replace(SETTINGS, seed=3), tmp_path / "out/completions")]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == command.SHOWN
    shares = {tuple(line.split()[:3]): float(line.split()[3]) for line in lines[1:-1]}
    assert shares["perfect", "quantitative", "6"] == shares["perfect", "qualitative", "6"] == 1
    assert len(results.read(tmp_path / "out")) == 4 * 12


def test_the_command_line_takes_the_published_file_and_its_images(asked, tmp_path, monkeypatch, capsys):
    rows = [
        published("width_data", f"The width of Region [0] is {1 + number}.5 feet.", id=str(number))
        for number in range(8)
    ]
    (tmp_path / "bench.json").write_text(json.dumps(rows))
    (tmp_path / "images").mkdir()
    Image.new("RGB", (640, 480)).save(tmp_path / "images/a.jpg")
    arguments = ["--items", str(tmp_path / "bench.json"), "--images", str(tmp_path / "images"), "--policy", "perfect"]
    monkeypatch.setattr(sys, "argv", ["spatialrgpt", *arguments, "--output", str(tmp_path / "out")])
    command.main()
    assert asked[0][3] == [(640, 480)] * 8
    assert {row.image for row in results.read(tmp_path / "out")} == {"a.jpg"}
    assert "perfect" in capsys.readouterr().out
