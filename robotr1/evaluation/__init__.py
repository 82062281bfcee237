"""Benchmarks: one folder each, with shared controls, one completion cache, judges, and the paper's published tables."""
