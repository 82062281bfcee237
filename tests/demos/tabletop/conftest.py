"""The tabletop's tests need the Panda's meshes, which are not kept in the repository."""

import numpy as np
import pytest

from robotr1.paths import PANDA


@pytest.fixture(scope="session")
def panda():
    if not (PANDA / "panda.json").exists():
        pytest.skip("data/panda is missing: run `python -m robotr1.demos.tabletop.panda`")
    return PANDA


@pytest.fixture(scope="session")
def scenes(panda):
    """One compiled scene per task, made on first use: `scenes("lamp_on")`; reset it before use."""
    from robotr1.demos.tabletop.scene import TabletopScene

    made = {}

    def scene(task):
        if task not in made:
            made[task] = TabletopScene(task, np.random.default_rng(0), image_size=112)
        return made[task]

    yield scene
    for scene in made.values():
        scene.close()
