"""The choice of a renderer, with backends that are faked and with those of this machine."""

import os
import subprocess
import sys

import pytest

from robotr1 import paths
from robotr1.demos.tabletop import gl


@pytest.fixture
def headless(monkeypatch):
    """A Linux without display on which nothing was chosen yet; returns the list of backends that work."""
    works = []
    monkeypatch.setattr(gl.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", *gl.SUSPECTS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MUJOCO_GL", "")
    monkeypatch.setattr(gl, "trial_error", lambda backend, without=(): None if backend in works else "no luck")
    return works


@pytest.mark.parametrize(("works", "chosen"), [(["egl", "osmesa"], "egl"), (["osmesa"], "osmesa")])
def test_takes_the_first_that_draws_and_tells_child_processes(headless, works, chosen):
    headless += works
    assert gl.choose_renderer() == chosen
    assert gl.os.environ["MUJOCO_GL"] == gl.os.environ["PYOPENGL_PLATFORM"] == chosen


def test_where_nothing_draws_the_message_names_the_packages_and_the_reasons(headless):
    with pytest.raises(gl.RenderingError, match=r"(?s)install libegl1 libopengl0 libgl1.*libosmesa6.*egl: no luck"):
        gl.choose_renderer()


@pytest.mark.parametrize("chosen", ["osmesa", "egl", "EGL"])
def test_a_choice_already_made_is_respected_and_pyopengl_follows(headless, monkeypatch, chosen):
    monkeypatch.setenv("MUJOCO_GL", chosen)
    monkeypatch.setenv("PYOPENGL_PLATFORM", "glx")
    assert gl.choose_renderer() == chosen
    assert gl.os.environ["PYOPENGL_PLATFORM"] == chosen.lower()


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_need_nothing(headless, monkeypatch, platform):
    monkeypatch.setattr(gl.sys, "platform", platform)
    assert gl.choose_renderer() == ""
    assert gl.os.environ["MUJOCO_GL"] == ""


@pytest.mark.parametrize(("works", "chosen"), [(["glfw", "egl"], "glfw"), (["egl"], "egl")])
@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_display_is_used_only_if_it_works(headless, monkeypatch, name, works, chosen):
    monkeypatch.setenv(name, ":0")
    headless += works
    assert gl.choose_renderer() == chosen


def test_command_line_says_what_it_found(headless, capsys, monkeypatch):
    assert gl.main() == 1
    assert "cannot render here" in capsys.readouterr().err
    headless.append("osmesa")
    monkeypatch.setenv("DISPLAY", ":99")
    assert gl.main() == 0
    assert capsys.readouterr().out == "rendering: osmesa (the display :99 does not work)\n"


def test_a_backend_that_does_not_exist_gives_its_reason():
    assert "no-such-backend" in gl.trial_error("no-such-backend")


def test_a_display_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(gl, "TRIAL_SECONDS", 0.2)
    monkeypatch.setattr(gl, "_TRIAL", "import time; time.sleep(60)")
    assert gl.trial_error("glfw") == "no image after 0.2 seconds"


def test_an_empty_image_is_no_rendering(monkeypatch):
    monkeypatch.setattr(gl, "_TRIAL", gl._TRIAL.replace("<light/><geom size='1'/>", ""))
    assert gl.trial_error("") == "the image is empty"


def check(**variables):
    """Run the command line in a fresh process, as `make renderer` does."""
    known = ("MUJOCO_GL", "DISPLAY", "WAYLAND_DISPLAY", *gl.SUSPECTS[:3])
    environment = {name: value for name, value in os.environ.items() if name not in known}
    environment |= {"PYTHONPATH": str(paths.ROOT)} | variables
    command = [sys.executable, "-m", "robotr1.demos.tabletop.gl"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def egl():
    if "egl" not in check()[1]:
        pytest.skip("this machine does not render with EGL")


@pytest.mark.parametrize("variables", [{"PYOPENGL_PLATFORM": "osmesa"}, {"DISPLAY": ":97"}])
def test_what_does_no_harm_is_no_error(egl, variables):
    code, text = check(**variables)
    assert code == 0, text
    assert "rendering: egl" in text


@pytest.mark.parametrize(
    ("variables", "fix"),
    [
        ({"MUJOCO_EGL_DEVICE_ID": "97"}, "unset MUJOCO_EGL_DEVICE_ID"),
        ({"MUJOCO_EGL_DEVICE_ID": "cuda:0", "MUJOCO_GL": "egl"}, "unset MUJOCO_EGL_DEVICE_ID"),
        ({"MUJOCO_GL": "egl", "MESA_GL_VERSION_OVERRIDE": "1.1"}, "unset MESA_GL_VERSION_OVERRIDE"),
        ({"MUJOCO_GL": "no-such-backend"}, "unset MUJOCO_GL; egl works here"),
        ({"MUJOCO_GL": "glfw", "DISPLAY": ":97"}, "unset MUJOCO_GL; egl works here"),
    ],
)
def test_the_fix_is_that_of_the_cause(egl, variables, fix):
    code, text = check(**variables)
    assert code == 1
    assert f"Fix: {fix}" in text
    assert all(value in text for name, value in variables.items() if name in fix)
    assert "apt-get" not in text and "Traceback" not in text
