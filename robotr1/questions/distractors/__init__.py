"""Distractor strategies: where the wrong options of a question come from."""
