"""The same model gives the same live figure; what no page can run is refused."""

import json
import re

import pytest
import torch
from IPython.core.getipython import get_ipython
from shell import kernel

from jensengap import nets, ring, vae
from jensengap.live import latent_plane, ring_game
from jensengap.markup import parameters, widgets

ALT = "a plane & a picture"
RULES = ring.Rules(batch=16, points=80, enough=1)


@pytest.fixture
def codes():
    torch.manual_seed(1)
    return torch.randn(30, 2), torch.arange(30) % 3


@pytest.fixture
def players():
    torch.manual_seed(2)
    return nets.mlp(2, 8, 1), nets.mlp(2, 8, 2)


def shown(folder, call):
    with kernel(folder) as cell:
        call()
    (output,) = cell.outputs
    return output.data


def data_of(markup):
    return json.loads(
        re.search(r'"application/json">(.*?)</script>', markup, re.DOTALL)[1]
    )


def test_the_decoder_takes_its_weights_into_the_page(model, codes, tmp_path):
    call = lambda: latent_plane.show(model, *codes, alt=ALT, caption="look")  # noqa: E731
    found = shown(tmp_path, call)
    data = data_of(found["text/html"])
    for one, other in zip(
        parameters.unpack(data["weights"]), model.decoder.net.parameters(), strict=True
    ):
        assert torch.equal(one, other.half())
    assert data["layers"][-1]["activation"] == "sigmoid"
    assert torch.equal(parameters.unpack(data["codes"])[0], codes[0].half())
    assert data["labels"] == codes[1].tolist()
    assert data["names"] == ["0", "1", "2"]
    assert found["text/plain"] == ALT


def test_the_game_takes_both_networks_as_they_start(players, tmp_path):
    call = lambda: ring_game.show(*players, RULES, alt=ALT, still=3)  # noqa: E731
    data = data_of(shown(tmp_path, call)["text/html"])
    for name, net in zip(("discriminator", "generator"), players, strict=True):
        found = parameters.unpack(data[name]["weights"])
        for one, other in zip(found, net.parameters(), strict=True):
            assert torch.equal(one, other)
        assert data[name]["layers"][-1]["activation"] == "identity"
    assert {name: data[name] for name in ("batch", "points", "seed", "betas")} == {
        "batch": 16,
        "points": 80,
        "seed": 0,
        "betas": [0.5, 0.9],
    }
    assert data["ratios"] == [0.1, 0.3, 1.0, 3.0]
    assert data["names"] == ["0.1 ×", "0.3 ×", "1 ×", "3 ×"]


def test_the_same_call_gives_the_same_markup(model, codes, players, tmp_path):
    calls = [
        lambda: latent_plane.show(model, *codes, alt=ALT),
        lambda: ring_game.show(*players, RULES, alt=ALT, still=3),
    ]
    for call in calls:
        first, second = (shown(tmp_path, call) for _ in range(2))
        assert first == second


def test_the_global_generator_is_left_alone(model, codes, players, tmp_path):
    state = torch.get_rng_state()
    shown(tmp_path, lambda: latent_plane.show(model, *codes, alt=ALT))
    shown(tmp_path, lambda: ring_game.show(*players, RULES, alt=ALT, still=2))
    assert torch.equal(torch.get_rng_state(), state)


def test_the_first_position_and_ratio_are_those_that_were_asked_for(
    model, codes, players, tmp_path
):
    plane = shown(
        tmp_path, lambda: latent_plane.show(model, *codes, alt=ALT, start=(0.5, -1.0))
    )["text/html"]
    assert re.findall(r'value="([-\d.]+)"', plane) == ["0.5", "-1"]
    game = shown(
        tmp_path, lambda: ring_game.show(*players, RULES, alt=ALT, ratio=0.1, still=2)
    )["text/html"]
    assert re.findall(r'value="([-\d.]+)"', game) == ["0"]


def test_outside_a_kernel_the_words_are_said(model, codes, players, capsys):
    latent_plane.show(model, *codes, alt=ALT)
    ring_game.show(*players, RULES, alt=ALT, still=2)
    assert capsys.readouterr().out == f"{ALT}\n{ALT}\n"


def test_codes_and_labels_that_do_not_match_are_refused(model, codes):
    for pair in ((codes[0], codes[1][:5]), (codes[0][:0], codes[1][:0])):
        with pytest.raises(ValueError, match=r"codes \(n, 2\) and as many labels, got"):
            latent_plane.show(model, *pair, alt=ALT)


def test_a_head_whose_mean_the_page_does_not_know_is_refused(model, codes):
    head = lambda logits: nets.bernoulli(2 * logits)  # noqa: E731
    decoder = nets.Conditional(model.decoder.net, head)
    with pytest.raises(ValueError, match="off by"):
        latent_plane.show(vae.VAE(model.encoder, decoder, model.prior), *codes, alt=ALT)


def test_a_figure_without_words_is_refused(model, codes, players):
    with pytest.raises(ValueError, match="alt must say"):
        latent_plane.show(model, *codes, alt="")
    with pytest.raises(ValueError, match="alt must say"):
        ring_game.show(*players, RULES, alt="", still=2)


@pytest.mark.parametrize(
    ("ratios", "ratio"), [([1.0], 1.0), ([0.5, 2.0], 1.0), ([0.0, 1.0], 1.0)]
)
def test_ratios_that_make_no_slider_are_refused(players, ratios, ratio):
    with pytest.raises(ValueError, match="two or more positive ratios"):
        ring_game.show(*players, RULES, alt=ALT, ratios=ratios, ratio=ratio)


@pytest.mark.parametrize(
    "pair",
    [
        lambda: (nets.mlp(2, 2), nets.mlp(2, 2)),
        lambda: (nets.mlp(3, 1), nets.mlp(2, 2)),
        lambda: (nets.mlp(2, 1), nets.mlp(2, 3)),
    ],
)
def test_players_that_do_not_fit_the_plane_are_refused(pair):
    with pytest.raises(ValueError, match="from 2 numbers to 1 and a generator to 2"):
        ring_game.show(*pair(), RULES, alt=ALT)


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A shell that has a kernel; yields the panel that is shown, once it is."""
    monkeypatch.delenv("JENSENGAP_STATIC", raising=False)
    panels, panel = [], widgets.panel
    monkeypatch.setattr(widgets, "panel", lambda *given: panels.append(panel(*given)))
    with kernel(tmp_path):
        get_ipython().kernel = object()
        yield panels


def test_in_a_live_kernel_the_decoder_computes_on_demand(notebook, model, codes):
    latent_plane.show(model, *codes, alt=ALT, caption="look")
    ((picture, controls, caption),) = (panel.children for panel in notebook)
    first = picture.value
    assert "<svg" in first
    assert "look" in caption.value
    with torch.no_grad():  # the model itself is asked, not a copy
        model.decoder.net[-1].bias += 1
    controls.children[0].value = 1.0
    moved = picture.value
    assert moved != first
    controls.children[0].value = 0.0
    assert picture.value not in (first, moved)


def test_in_a_live_kernel_the_game_plays_tick_by_tick(notebook, players):
    ring_game.show(*players, RULES, alt=ALT)
    ((picture, controls, _),) = (panel.children for panel in notebook)
    clock, ratio = controls.children
    first = picture.value
    assert ">step 0<" in first
    clock.value = 1
    assert f">step {ring_game.STEPS}<" in picture.value
    ratio.value = 0  # another ratio plays no step
    assert f">step {ring_game.STEPS}<" in picture.value
    clock.value = 2
    assert f">step {2 * ring_game.STEPS}<" in picture.value
    clock.value = 0  # stop: from the beginning
    assert picture.value == first
