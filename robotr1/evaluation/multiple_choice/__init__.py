"""The multiple-choice benchmark: items, controls, answers, accuracies and comparisons."""
