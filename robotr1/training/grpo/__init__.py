"""Reinforcement learning with TRL: GRPO, RLOO and REINFORCE++, with fast steps. Rewards are in training/rewards/."""
