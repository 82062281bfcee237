"""Scores of policies: multiple-choice accuracy, whether the reasoning fits the answer, and what the paper printed."""
