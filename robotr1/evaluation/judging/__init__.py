"""Judges of open answers: rules, a language model behind an endpoint, and how well they agree."""
