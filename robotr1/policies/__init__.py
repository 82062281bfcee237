"""Policies: load them, generate with them and export them; the tiny base; reference policies without a model."""

import logging
import warnings

# bitsandbytes logs on import that an optional CPU kernel is missing.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

# transformers warns on import that notebook widgets are missing; the study uses text progress bars.
warnings.filterwarnings("ignore", message="IProgress not found")
