"""Solutions to the exercises of 03_build_questions: `python notebooks/solutions/03_build_questions.py`."""

from dataclasses import replace

import numpy as np

from robotr1 import paths, records
from robotr1.demos.episode import list_episodes, read_episode
from robotr1.questions.answers import parse_position
from robotr1.questions.audit.blind import audit
from robotr1.questions.audit.strategies import audit_strategies, best_guesses
from robotr1.questions.build import build_questions
from robotr1.questions.distractors.strategies import Strategy, register_strategy
from robotr1.questions.question_types import register_type
from robotr1.questions.trajectory import trajectories_of
from robotr1.settings import load_settings

TABLE = 0.75  # metres


def mirrored(episodes, keyframes, settings):
    """1. Those high above the table: waypoints are low, and a mirror image from top to bottom is not."""
    built = build_questions(episodes, keyframes, replace(settings, distractors="mirrored"))
    asked = built["train"]
    options = [(parse_position(option)[2], option) for question in asked for option in question.options]
    true = [parse_position(question.options["ABCD".index(question.answer)])[2] for question in asked]
    limit = max(np.quantile(true, 0.99), TABLE)
    struck = np.mean([height > limit for height, _ in options])
    print(f"99 % of the truths are below {limit:.2f} m, and {struck:.0%} of all options above")


@register_strategy("on_the_line")
class OnTheLine(Strategy):
    """2. Positions between the start of the arm and the truth, or beyond the truth. The text-only policy finds the
    truth if the prompt states the gripper's position, and nearly as often if it does not: it has learned the height of
    truths, while positions before the truth are in the air and positions beyond it are below the table."""

    def positions(self, draw):
        start, truth = np.array(draw.states[0][:3]), np.array(draw.position[:3])
        while True:
            yield tuple(start + draw.rng.uniform(0.2, 2) * (truth - start))


def sideways(question, settings):
    """3. Left or right, and how far. The text-only policy is right in 44 % and chance is 25 %: the side is only visible
    in the image, but small distances are common, and so is none. 0 cm has no side: otherwise a question could have two
    right options."""
    way = round(100 * (question.target[1] - question.state[1]))
    return f"{abs(way)} cm to the {'right' if way > 0 else 'left'}" if way else "neither"


if __name__ == "__main__":
    settings = replace(load_settings()["build_questions"], types=["waypoint"])
    episodes = [read_episode(folder) for folder in list_episodes(paths.DEMOS)]
    keyframes = records.read_records(paths.KEYFRAMES, records.Keyframes)
    mirrored(episodes, keyframes, settings)
    for guess in best_guesses(
        audit_strategies(trajectories_of(episodes, keyframes, settings.state), settings, ["on_the_line"])
    ):
        if guess.split == "test_in":
            print(f"on_the_line, gripper {'' if guess.stated else 'not '}stated: {guess.policy} {guess.accuracy:.0%}")
    register_type("sideways", sideways, "Is the next waypoint left or right of the gripper, and how far?")
    own = build_questions(episodes, keyframes, replace(settings, types=["sideways"]))
    print(own["train"][0].prompt)
    for guess in audit(own, scored=["test_in"]):
        print(f"sideways, {guess.policy}: {guess.accuracy:.0%} [{guess.low:.0%}, {guess.high:.0%}]")
