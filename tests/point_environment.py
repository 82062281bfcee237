"""An invented environment of the closed loop whose odds are known."""

import numpy as np
from small_settings import WAYPOINTS as SETTINGS

from robotr1.evaluation.closed_loop.agents import Agent
from robotr1.evaluation.closed_loop.environment import Goal
from robotr1.evaluation.closed_loop.forms import OpenForm

DOWN = np.array([0.0, 1.0, 0.0, 0.0])  # a quaternion, gripper pointing down


class Point:
    """A point that jumps to every commanded position below 1.5 m.

    Done after it was at all goals in turn, each with the goal's gripper.
    """

    def __init__(self, episode: int, goals: int = 2):
        rng = np.random.default_rng(episode)
        self.task, self.episode, self.instruction = "points", episode, "go there"
        places = rng.uniform([0, -0.4, 0.8], [0.5, 0.4, 1.4], (goals, 3))
        self.goals = [Goal(np.array([*place, *DOWN]), float(number % 2)) for number, place in enumerate(places)]
        self.demo = np.array([goal.pose for goal in self.goals]), np.array([goal.gripper for goal in self.goals])
        self.visited, self.rendered = [], 0

    def image(self):
        self.rendered += 1
        return np.full((8, 8, 3), self.rendered, np.uint8)

    def gripper(self):
        return (self.visited[-1] if self.visited else (np.array([0.3, 0.0, 1.4, *DOWN]), 1.0))[:2]

    def execute(self, pose, gripper):
        if pose[2] > 1.5:
            return "unreachable"
        self.visited.append((pose, gripper))
        return "moved"

    def success(self):
        reached = [
            np.allclose(pose[:3], goal.pose[:3], atol=0.015)
            and abs(pose[3:] @ goal.pose[3:]) > 0.999
            and gripper == goal.gripper
            for (pose, gripper), goal in zip(self.visited, self.goals)
        ]
        return len(reached) == len(self.goals) and all(reached)


def points(count, goals=2):
    return (Point(episode, goals) for episode in range(count))


def scripted_agent(*completions, form=None, uses_images=False):
    """An agent with one completion for every question, or with one completion after the other."""
    left = list(completions)
    one = len(left) == 1
    return Agent(
        "scripted",
        form or OpenForm(SETTINGS),
        lambda questions: [left[0] if one else left.pop(0) for _ in questions],
        uses_images=uses_images,
    )


def facts(traces):
    return [(t.task, t.episode, t.success, t.reason, [(s.state, s.answer, s.outcome) for s in t.steps]) for t in traces]
