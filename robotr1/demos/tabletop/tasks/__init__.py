"""The embedded tasks, one module each, named as in RLBench. Importing this package does not import mujoco."""

import importlib

# What a task is about, in one word, as plans and reasoning call it.
OBJECT_NAMES = {
    "pick_up_cup": "cup",
    "push_button": "button",
    "take_lid_off_saucepan": "lid",
    "lamp_on": "lamp",
}
TASKS = tuple(OBJECT_NAMES)


def load_task(name: str):
    """A fresh :class:`~robotr1.demos.tabletop.tasks.base.Task`.

    Raises:
        KeyError: the embedded simulator has no such task.
    """
    if name not in OBJECT_NAMES:
        raise KeyError(f"unknown task {name!r}; the tabletop has {', '.join(TASKS)}")
    return importlib.import_module(f"{__name__}.{name}").TASK()
