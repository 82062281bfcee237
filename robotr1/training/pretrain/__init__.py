"""Pretraining of the tiny base: vision first, then language on synthetic examples."""
