"""The shortcut audit of every distractor strategy."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from robotr1.questions.audit.blind import BlindGuess, audit
from robotr1.questions.build import stream_questions
from robotr1.questions.distractors.strategies import STRATEGIES, DistractorError
from robotr1.questions.splits import SPLITS
from robotr1.questions.trajectory import Trajectory
from robotr1.settings import BuildQuestions

STATING = ("waypoint", "movement")  # types whose prompt may state the gripper's position


@dataclass(frozen=True)
class StrategyGuess(BlindGuess):
    """A blind policy's accuracy under one strategy, with or without the gripper's position in the prompt."""

    strategy: str
    stated: bool


def audit_strategies(
    trajectories: Sequence[Trajectory],
    settings: BuildQuestions,
    strategies: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> list[StrategyGuess]:
    """Build the questions with every strategy (by default all registered ones) and score the blind policies on them.

    Waypoint and movement questions come twice, without and with the gripper's position in the prompt. The rows are for
    the test splits. A strategy that cannot keep the gap has no rows; one without `movements` has none for movement.
    """
    rows = []
    for strategy in strategies or STRATEGIES:
        for stated in (False, True):
            types = [type for type in settings.types if type in STATING or not stated]
            if STRATEGIES[strategy].movements is None:
                types = [type for type in types if type != "movement"]
            chosen = replace(
                settings, distractors=strategy, types=types, show_state=stated, show_state_in_movement=stated
            )
            try:
                questions = list(stream_questions(trajectories, chosen)) if types else []
            except DistractorError:
                continue
            splits = {split: [question for question in questions if question.split == split] for split in SPLITS}
            if splits["train"]:
                guesses = audit(splits, confidence, scored=("test_in", "test_out"))
                rows += [StrategyGuess(**asdict(guess), strategy=strategy, stated=stated) for guess in guesses]
    return rows


def best_guesses(rows: Sequence[StrategyGuess]) -> list[StrategyGuess]:
    """The most accurate blind policy for each strategy, split, type, and prompt with or without the position."""
    best: dict[tuple, StrategyGuess] = {}
    for row in rows:
        name = row.strategy, row.stated, row.split, row.type
        if name not in best or row.accuracy > best[name].accuracy:
            best[name] = row
    return list(best.values())
