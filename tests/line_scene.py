"""An invented scene of the EB-Manipulation protocol, and replies to it."""

import json

import numpy as np

GO, WRONG, FAR = (10, 20, 30, 0, 60, 0, 1), (11, 20, 30, 0, 60, 0, 1), (10, 20, 99, 0, 60, 0, 1)


class Line:
    """Done after GO was executed `needed` times in a row; FAR cannot be reached."""

    def __init__(self, task, episode, needed=2):
        self.task, self.episode, self.refused = task, episode, 0
        self.plan, self.needed, self.row, self.acted = [GO] * needed, needed, 0, []

    def act(self, action):
        self.acted.append(action)
        if action == FAR:
            return "unreachable"
        self.row = self.row + 1 if action == GO else 0
        return "moved"

    def success(self):
        return self.row >= self.needed

    def objects(self):
        return [("red cup", np.array([0.1, -0.1, 0.8])), ("blue cup", np.array([0.2, 0.1, 0.8]))]

    def pixels(self):
        return np.array([[8.0, 8.0], [24.0, 20.0]])

    def image(self):
        return np.zeros((32, 32, 3), np.uint8)

    def plan_in_words(self):
        return ("go", "go again")

    def instruction(self, subset):
        return f"do it, {subset}"


def reply(*plan):
    return json.dumps({"executable_plan": [{"action": str(list(action))} for action in plan]})
