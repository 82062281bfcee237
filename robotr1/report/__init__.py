"""Figures, tables and the report, made from predictions and metrics alone: no torch, no simulator."""
