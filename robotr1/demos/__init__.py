"""Demonstrations: RLBench episode folders, read, written and collected."""
