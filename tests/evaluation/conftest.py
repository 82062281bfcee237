"""What tests of benchmarks share that draw scenes anew."""

import pytest

from robotr1 import paths


@pytest.fixture(scope="session")
def simulator():
    """Skips where the arm's meshes or a renderer are missing."""
    from robotr1.demos.tabletop.gl import RenderingError, choose_renderer

    if not (paths.PANDA / "panda.json").exists():
        pytest.skip("data/panda is missing: run `python -m robotr1.demos.tabletop.panda`")
    try:
        choose_renderer()
    except RenderingError as error:
        pytest.skip(str(error))
