"""Compare a run with the committed one."""
