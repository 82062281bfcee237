"""Policies: load, ask and export them; the tiny base; reference policies that need no model."""

import logging

# On import its CPU part announces that an optional kernel is not installed.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
