"""The full audit of one strategy as a table: what each rule reaches without the image, or without the step."""

from collections.abc import Sequence

import pandas as pd

from robotr1.questions.audit.blind import BlindGuess, audit
from robotr1.questions.audit.learned import audit_learned
from robotr1.questions.audit.seeing import audit_seeing
from robotr1.questions.build import stream_questions
from robotr1.questions.splits import SPLITS
from robotr1.questions.trajectory import Trajectory
from robotr1.settings import BuildQuestions


def audit_all(trajectories: Sequence[Trajectory], settings: BuildQuestions) -> dict[str, list[BlindGuess]]:
    """All guesses on all splits: those without the image (blind) and those without the step (seeing)."""
    questions = list(stream_questions(trajectories, settings))
    splits = {split: [question for question in questions if question.split == split] for split in SPLITS}
    fixed = [row for row in audit(splits) if row.policy != "text only"]  # the logit of audit_learned
    return {"blind": fixed + audit_learned(splits), "seeing": audit_seeing(splits, trajectories)}


def table(rows: Sequence[BlindGuess]) -> pd.DataFrame:
    """Accuracies in percent: one row for each guess, one column for each type and split."""
    frame = pd.DataFrame([(row.policy, row.type, row.split, 100 * row.accuracy) for row in rows])
    frame.columns = ["guess", "type", "split", "accuracy"]
    wide = frame.pivot_table(index="guess", columns=["type", "split"], values="accuracy", sort=False)
    return wide.round(1)
