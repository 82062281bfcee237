import pytest

from robotr1.demos.tabletop import gl


@pytest.fixture
def headless(monkeypatch):
    """A Linux without display on which nothing was chosen yet; returns the list of backends that work."""
    works = []
    monkeypatch.setattr(gl.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("MUJOCO_GL", "")
    monkeypatch.setattr(gl, "can_render", lambda backend: backend in works)
    return works


@pytest.mark.parametrize(("works", "chosen"), [(["egl", "osmesa"], "egl"), (["osmesa"], "osmesa")])
def test_takes_the_first_that_draws_and_tells_child_processes(headless, works, chosen):
    headless += works
    assert gl.choose_renderer() == chosen
    assert gl.os.environ["MUJOCO_GL"] == chosen


def test_where_nothing_draws_the_message_names_the_packages(headless):
    with pytest.raises(gl.RenderingError, match=r"apt-get install libegl1 libopengl0 libgl1[^$]*libosmesa6"):
        gl.choose_renderer()


def test_a_choice_already_made_is_respected(headless, monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    assert gl.choose_renderer() == "osmesa"


@pytest.mark.parametrize(("platform", "display"), [("darwin", ""), ("win32", ""), ("linux", ":0")])
def test_other_systems_and_a_display_need_nothing(headless, monkeypatch, platform, display):
    monkeypatch.setattr(gl.sys, "platform", platform)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    assert gl.choose_renderer() == ""
    assert gl.os.environ["MUJOCO_GL"] == ""


def test_command_line_says_what_it_found(headless, capsys):
    assert gl.main() == 1
    assert "cannot render here" in capsys.readouterr().err
    headless.append("osmesa")
    assert gl.main() == 0
    assert "osmesa" in capsys.readouterr().out


def test_a_backend_that_does_not_exist_cannot_render():
    assert not gl.can_render("no-such-backend")
