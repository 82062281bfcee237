import json

from robotr1.policies.model_card import model_card


def test_the_card_has_the_measured_accuracies(tmp_path):
    metrics = {
        "grpo-seed7": {"test_in": {"all": 0.7958, "waypoint": 0.9723}, "reasoning": {"planning": 3.0}},
        "base": {"test_in": {"all": 0.6736}},
    }
    (tmp_path / "run_benchmarks.json").write_text(json.dumps(metrics))
    card = model_card("grpo-seed7", str(tmp_path), {"algorithm": "grpo", "beta": 0.0}, "bfloat16", tmp_path)
    assert card.startswith("---\nlibrary_name: transformers\npipeline_tag: image-text-to-text\n")
    assert "| grpo-seed7 | test_in | 79.6 % | 97.2 % |" in card
    assert "| base | test_in | 67.4 % |  |" in card
    assert "- beta: 0.0" in card.splitlines()
    assert "planning" not in card, "a judge's score is no accuracy"


def test_a_policy_without_metrics_is_not_measured(tmp_path):
    card = model_card("unknown", "some/hub-id", {}, "bfloat16", tmp_path)
    assert "Not measured" in card and "base_model: some/hub-id" in card
