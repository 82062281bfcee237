"""robotr1: the Robot-R1 study, re-runnable from demonstrations to the report."""

import os

__version__ = "0.1.0"

# torch reads this when it is loaded. Otherwise its waiting threads spin: with one other busy process on two cores, a
# GRPO step with two threads took 16 to 50 seconds instead of under 3.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
