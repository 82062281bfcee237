"""robotr1: the Robot-R1 study, re-runnable from demonstrations to the report."""

__version__ = "0.1.0"
