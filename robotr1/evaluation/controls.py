"""What every benchmark's controls share: the error that stops a run, and how much luck is believed."""

UNLIKELY = 1e-6  # a random policy further from chance than this happens by an error, not by luck


class BenchmarkError(ValueError):
    """A control came out wrong, so no score of this run can be trusted."""
