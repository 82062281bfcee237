"""Hand-written scripts of the tasks: one action for each keyframe of an episode."""

from functools import cache

from robotr1.demos.tabletop.tasks import OBJECTS, TASKS, load_task
from robotr1.records import Keyframes


@cache
def script(task: str, variation: int = 0) -> tuple[str, ...]:
    """The task's actions, one for each keyframe; empty for a task without a script."""
    return tuple(load_task(task).script(variation)) if task in TASKS else ()


@cache
def action_list(tasks: frozenset[str]) -> tuple[str, ...]:
    """The actions of all scripted `tasks` in all variations, each once; the id of an action is its index."""
    known = [load_task(task) for task in TASKS if task in tasks]
    scripts = [script(task.name, variation) for task in known for variation in range(task.variations)]
    return tuple(dict.fromkeys(action for actions in scripts for action in actions))


def fits_script(line: Keyframes) -> bool:
    """Whether the task has a script with one action for each of the episode's keyframes."""
    return bool(line.keyframes) and len(script(line.task, line.variation)) == len(line.keyframes)


def plan_steps(task: str, count: int, variation: int = 0) -> tuple[str, ...]:
    """The task's script when it has `count` actions; otherwise a plain plan with one step for each keyframe."""
    if len(steps := script(task, variation)) == count:
        return steps
    name = OBJECTS.get(task, ("object",))[0]
    approach = (f"move to the {name}",) if count > 1 else ()
    middle = tuple(f"go on to waypoint {number}" for number in range(2, count))
    return approach + middle + ("finish the task",)
