"""Distractor strategies: how the distractors of a question are sampled."""
