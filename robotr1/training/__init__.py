"""Training: the tiny base, supervised fine-tuning, reinforcement learning and its rewards."""

from robotr1 import policies as policies  # first, so that its logging set-up comes before the libraries
