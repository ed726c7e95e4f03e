"""In a live kernel a figure is made of widgets, and what they show is computed then."""

from pathlib import Path

import ipywidgets
import pytest
from IPython.core.getipython import get_ipython
from shell import kernel

from jensengap.markup import widgets


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A shell that has a kernel, as that of a notebook has."""
    monkeypatch.delenv("JENSENGAP_STATIC", raising=False)
    with kernel(tmp_path) as cell:
        get_ipython().kernel = object()
        yield cell


def test_a_live_kernel_wants_widgets(notebook):
    assert widgets.wanted()


def test_a_build_wants_none(notebook, monkeypatch):
    monkeypatch.setenv("JENSENGAP_STATIC", "1")
    assert not widgets.wanted()


def test_a_shell_without_a_kernel_wants_none(tmp_path, monkeypatch):
    monkeypatch.delenv("JENSENGAP_STATIC", raising=False)
    assert not widgets.wanted()
    with kernel(tmp_path):
        assert not widgets.wanted()


def test_without_ipywidgets_none_are_wanted(notebook, monkeypatch):
    monkeypatch.setattr(widgets.importlib.util, "find_spec", lambda name: None)
    assert not widgets.wanted()


def test_the_build_says_that_it_is_one():
    from tools.book import environment
    from tools.book.toc import ROOT

    assert environment.clean_variables(ROOT)["JENSENGAP_STATIC"] == "1"


def test_ipywidgets_is_imported_where_it_is_used_and_not_before():
    lines = Path(widgets.__file__).read_text("utf-8").splitlines()
    assert "    import ipywidgets" in lines
    assert "import ipywidgets" not in lines


def test_a_choice_goes_by_its_place():
    slider = widgets.choice("rate", ["0.1 ×", "1 ×", "1 ×"], 1)
    assert isinstance(slider, ipywidgets.SelectionSlider)
    assert (slider.value, slider.label, slider.description) == (1, "1 ×", "rate")
    slider.value = 2
    assert slider.value == 2


def test_a_scale_is_symmetric_around_zero():
    slider = widgets.scale("z₁", 0.5, 3.5, 0.05)
    assert isinstance(slider, ipywidgets.FloatSlider)
    assert (slider.value, slider.min, slider.max, slider.step) == (0.5, -3.5, 3.5, 0.05)


def test_a_panel_draws_when_a_control_changes_and_not_before(notebook):
    drawn = []

    def draw(x, y):
        drawn.append((x, y))
        return f"<b>{x + y:g}</b>"

    x, y = widgets.scale("x", 1.0, 4.0, 0.5), widgets.scale("y", 0.0, 4.0, 0.5)
    box = widgets.panel(draw, [x, y], "<p>look</p>")
    picture, controls, caption = box.children
    assert picture.value == "<b>1</b>"
    assert drawn == [(1.0, 0.0)]
    y.value = 2.5
    assert picture.value == "<b>3.5</b>"
    assert drawn == [(1.0, 0.0), (1.0, 2.5)]
    assert controls.children == (x, y)
    assert caption.value == "<p>look</p>"


def test_a_panel_is_shown(notebook):
    widgets.panel(lambda x: f"{x}", [widgets.scale("x", 0.0, 1.0, 0.1)])
    (output,) = notebook.outputs
    assert "application/vnd.jupyter.widget-view+json" in output.data


def test_a_clock_plays_pauses_and_begins_again():
    clock = widgets.clock("play", 500, 100)
    assert isinstance(clock, ipywidgets.Play)
    assert (clock.value, clock.min, clock.max, clock.interval) == (0, 0, 100, 500)
