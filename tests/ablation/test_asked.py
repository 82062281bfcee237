"""The ablation's questions against the study's, on demonstrations recorded here."""

