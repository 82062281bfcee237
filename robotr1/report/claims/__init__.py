"""The paper's claims, tested by a rule stated beforehand."""
