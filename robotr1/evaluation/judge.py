"""The judges of open answers: by rules, or by a language model behind an endpoint."""

from robotr1.evaluation.judging.endpoint import EndpointJudge
from robotr1.evaluation.judging.reference import ReferenceJudge

__all__ = ["EndpointJudge", "ReferenceJudge"]
