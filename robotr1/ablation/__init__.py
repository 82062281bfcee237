"""What matters for the gain: algorithm, question design, cold start, metadata, the reward. Runs in experiments/ablation/."""
