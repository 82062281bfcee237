"""Reinforcement learning with TRL: GRPO, RLOO and REINFORCE++, and what makes their steps fast."""
