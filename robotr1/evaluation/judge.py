"""Judges of open answers under one name: the rule-based reference judge and a judge behind an endpoint."""

from robotr1.evaluation.judging.endpoint import EndpointJudge
from robotr1.evaluation.judging.reference import ReferenceJudge

__all__ = ["EndpointJudge", "ReferenceJudge"]
