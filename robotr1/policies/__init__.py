"""Policies: load, ask and export them; the tiny base; reference policies that need no model."""

import logging
import warnings

# On import its CPU part announces that an optional kernel is not installed.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

# transformers looks for notebook widgets when it is imported; text bars, which need none, are what is wanted here.
warnings.filterwarnings("ignore", message="IProgress not found")
