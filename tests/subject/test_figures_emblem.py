"""The emblem keeps its promise: every frame's bars end at the same log p(x)."""

import json
import re

import pytest
from shell import kernel

from jensengap import figures, plot

MEANS, WIDTHS = [0.0, 0.4, 0.8], [0.43, 0.55]
LOG_P = float(figures._MODEL.evidence().log_prob(figures._X))


@pytest.fixture
def ends(monkeypatch):
    """Where the third bar ends, in nats, each time that the bars are drawn."""
    seen, draw = [], plot.three_bars

    def spy(ax, reconstruction, kl_prior, gap):
        seen.append((reconstruction - kl_prior + gap, gap))
        return draw(ax, reconstruction, kl_prior, gap)

    monkeypatch.setattr(plot, "three_bars", spy)
    return seen


def test_the_third_bar_ends_at_the_evidence_whatever_q_is(ends, tmp_path):
    with kernel(tmp_path):
        figures.emblem(MEANS, WIDTHS)
    # every pair once, and the middle one for its picture
    assert len(ends) == 7
    assert max(abs(end - LOG_P) for end, _ in ends) < 1e-12
    gaps = [gap for _, gap in ends]
    assert min(gaps) > 0
    assert max(gaps) > 0.1


def test_the_numbers_are_those_of_the_chapter(ends, tmp_path):
    with kernel(tmp_path):
        figures.emblem([0.4, 0.8], [0.55])
    assert abs(LOG_P + 1.912194) < 1e-6
    assert abs(ends[1][1] - 0.456927) < 1e-6


def test_one_width_makes_no_slider(tmp_path):
    with kernel(tmp_path) as cell:
        figures.emblem(MEANS, [0.55])
    markup = cell.outputs[0].data["text/html"]
    assert re.findall(r"<label><span>(.*?)</span>", markup) == ["mean of q"]
    table = json.loads(re.search(r"labels} = (\{.*\});", markup)[1])
    assert table["labels"] == [["0.00", "0.40", "0.80"]]


def test_both_sliders_are_named(tmp_path):
    with kernel(tmp_path) as cell:
        figures.emblem(MEANS, WIDTHS)
    markup = cell.outputs[0].data["text/html"]
    names = re.findall(r"<label><span>(.*?)</span>", markup)
    assert names == ["mean of q", "width of q"]


@pytest.mark.parametrize(
    ("means", "widths"), [([0.4], WIDTHS), ([], WIDTHS), (MEANS, [])]
)
def test_values_that_make_no_slider_are_refused_with_their_number(means, widths):
    wanted = f"two or more means.*got {len(means)} and {len(widths)}"
    with pytest.raises(ValueError, match=wanted):
        figures.emblem(means, widths)


@pytest.mark.parametrize("width", [0.0, -0.5])
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(ValueError, match="scale must be positive"):
        figures.emblem(MEANS, [width, 0.5])
