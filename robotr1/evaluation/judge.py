"""The judges of open answers under one name; their code is in judging/."""

from robotr1.evaluation.judging.endpoint import EndpointJudge
from robotr1.evaluation.judging.reference import ReferenceJudge

__all__ = ["EndpointJudge", "ReferenceJudge"]
