"""Ablation of the study: algorithm, question design, cold start, metadata, reward. It runs in experiments/ablation/."""
