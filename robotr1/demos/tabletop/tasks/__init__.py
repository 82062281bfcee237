"""The tabletop's tasks, one module each, with RLBench's names. This package does not import mujoco."""

import importlib

# A task's objects as plans and reasoning name them: the one that is moved, then (where there is one) its goal.
OBJECTS: dict[str, tuple[str, ...]] = {
    "pick_up_cup": ("cup",),
    "push_button": ("button",),
    "take_lid_off_saucepan": ("lid",),
    "lamp_on": ("lamp",),
    "put_rubbish_in_bin": ("rubbish", "bin"),
    "phone_on_base": ("phone", "base"),
    "open_drawer": ("drawer",),
    "place_shape_in_shape_sorter": ("shape", "hole"),
    "close_jar": ("lid", "jar"),
    "stack_blocks": ("block", "platform"),
}
TASKS = tuple(OBJECTS)


def load_task(name: str):
    """Make a new :class:`~robotr1.demos.tabletop.tasks.base.Task`.

    Raises:
        KeyError: the tabletop has no such task.
    """
    if name not in OBJECTS:
        raise KeyError(f"unknown task {name!r}; the tabletop has {', '.join(TASKS)}")
    return importlib.import_module(f"{__name__}.{name}").TASK()
