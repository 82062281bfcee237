"""Demonstrations: read, write and collect RLBench episode folders."""
