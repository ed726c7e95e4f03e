"""What a VAE's estimators and their fast twins take, and what none of them takes."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.distributions import Distribution, Normal

from jensengap import exact, nets, vae
from jensengap.fast import bernoulli_vae, evidence

D, Z, B = 9, 2, 5


def network(dtype=torch.float32) -> vae.VAE:
    torch.manual_seed(0)
    return vae.VAE(
        nets.Conditional(nets.mlp(D, 7, 2 * Z), nets.gaussian_head),
        nets.Conditional(nets.mlp(Z, 7, D), nets.bernoulli),
        nets.StandardNormal(Z),
    ).to(dtype)


def images(num=B, dtype=torch.float32):
    torch.manual_seed(1)
    return torch.rand(num, D).round().to(dtype)


def fused(model, x, num_samples=3, **words):
    noise = torch.zeros(3, len(x) if getattr(x, "ndim", 0) else B, Z)
    own = bernoulli_vae.FusedVAE(model)
    return own(x, noise.to(next(model.parameters()).dtype), **words)


def mixture(model, x, num_samples=3):
    probs = torch.full((2, D), 0.5, dtype=next(model.parameters()).dtype)
    return exact.BernoulliMixture(torch.full_like(probs[:, 0], 0.5), probs).log_joint(x)


def table(model, x, num_samples=3):
    nodes = torch.zeros(3, Z, dtype=next(model.parameters()).dtype)
    return exact.bernoulli_log_likelihood(model.decoder, x, nodes)


# each of one model, images and a number of samples
SAMPLING = {
    "VAE.terms": lambda m, x, k=3: m.terms(x, k),
    "VAE.log_weights": lambda m, x, k=3: m.log_weights(x, k),
    "VAE.log_evidence": lambda m, x, k=3: m.log_evidence(x, k),
    "fast.log_evidence": lambda m, x, k=3: evidence.log_evidence(m, x, k),
}
TAKE_IMAGES = SAMPLING | {"FusedVAE": fused, "bernoulli_log_likelihood": table}
ALL = TAKE_IMAGES | {"BernoulliMixture": mixture}
grey, lost = images(), images()
grey[0, 3], lost[1, 2] = 0.5, torch.nan
BAD_IMAGES = {
    "grey": grey,
    "all grey": torch.full((B, D), 0.3),
    "negative": -images() - 1,
    "NaN": lost,
    "infinite": torch.full((B, D), torch.inf),
    "too wide": torch.zeros(B, D + 1),
    "too narrow": torch.zeros(B, D - 1),
    "none": torch.zeros(0, D),
    "without pixels": torch.zeros(B, 0),
    "whole numbers": images().long(),
    "uint8": images().byte(),
    "bool": images().bool(),
    "float64": images().double(),
    "half": images().half(),
    "complex": images() + 0j,
    "a list": images().tolist(),
    "numpy": images().numpy(),
    "sparse": images().to_sparse(),
    "None": None,
}
# a mixture has one evidence for each row, whatever axes lead
BAD_AXES = {
    "one image without its axis": torch.zeros(D),
    "images with axes": torch.zeros(B, 3, 3),
    "an axis too many": torch.zeros(2, B, D),
    "a number": torch.tensor(1.0),
}
BAD_NUMBERS = [0, -1, 2.5, True, "3", None, torch.tensor([2, 3]), float("nan")]


@pytest.fixture(params=[True, False], ids=["torch checks", "torch does not"])
def torch_checks(request):
    Distribution.set_default_validate_args(request.param)
    yield
    Distribution.set_default_validate_args(__debug__)


@pytest.mark.usefixtures("torch_checks")
@pytest.mark.parametrize("bad", BAD_IMAGES)
@pytest.mark.parametrize("name", ALL)
def test_what_is_no_batch_of_binary_images_is_refused_by_all(name, bad):
    with pytest.raises(ValueError, match=r"must|needs|shape"):
        ALL[name](network(), BAD_IMAGES[bad])


@pytest.mark.usefixtures("torch_checks")
@pytest.mark.parametrize("bad", BAD_AXES)
@pytest.mark.parametrize("name", TAKE_IMAGES)
def test_images_of_other_axes_are_refused_by_all(name, bad):
    with pytest.raises(ValueError, match=r"must|shape"):
        TAKE_IMAGES[name](network(), BAD_AXES[bad])


@pytest.mark.parametrize("name", ALL)
def test_grey_pixels_are_refused_by_all_in_one_sentence(name):
    with pytest.raises(ValueError, match=r"must be 0 or 1, got 0\.5 and in all 1 such"):
        ALL[name](network(), grey)


@pytest.mark.parametrize("name", SAMPLING)
@pytest.mark.parametrize("bad", BAD_NUMBERS, ids=repr)
def test_a_number_of_samples_that_is_none_is_refused_by_all(name, bad):
    with pytest.raises(ValueError, match=r"num_samples"):
        SAMPLING[name](network(), images(), bad)


@pytest.mark.parametrize("bad", [*BAD_NUMBERS[:3], True, "3"], ids=repr)
def test_a_chunk_that_is_none_is_refused_by_all(bad):
    model, x = network(), images()
    with pytest.raises(ValueError, match=r"chunk"):
        model.log_evidence(x, 3, chunk=bad)
    with pytest.raises(ValueError, match=r"chunk"):
        evidence.log_evidence(model, x, 3, chunk=bad)
    with pytest.raises(ValueError, match=r"chunk"):
        exact.bernoulli_log_likelihood(model.decoder, x, torch.zeros(3, Z), chunk=bad)


@pytest.mark.parametrize("name", [*SAMPLING, "FusedVAE"])
def test_an_encoder_that_is_no_vector_of_latents_is_refused_by_all(name):
    model = network()
    model.encoder.head = lambda numbers: Normal(numbers[:, :Z], 1.0)
    with pytest.raises(ValueError, match=r"one distribution for each|wanted a VAE of"):
        TAKE_IMAGES[name](model, images())


@pytest.mark.parametrize("name", ["VAE.log_evidence", "fast.log_evidence"])
def test_an_image_that_no_draw_can_make_has_no_evidence(name):
    model, x = network(), images()
    x[2, 0] = 0
    with torch.no_grad():
        model.decoder.net[-1].bias[0] = torch.inf  # the pixel is certainly on
    x[[0, 1, 3, 4], 0] = 1
    with pytest.raises(ValueError, match=r"none for 1 of 5 \(the first are \[2\]\)"):
        SAMPLING[name](model, x)


@pytest.mark.parametrize("name", SAMPLING)
def test_a_certain_pixel_that_is_as_it_must_be_costs_nothing(name):
    model, x = network(torch.float64), images(dtype=torch.float64)
    x[:, 0] = 1
    with torch.no_grad():
        model.decoder.net[-1].bias[0] = 50.0  # as good as certain
        torch.manual_seed(2)
        wanted = SAMPLING[name](model, x)
        model.decoder.net[-1].bias[0] = torch.inf
        torch.manual_seed(2)
        found = SAMPLING[name](model, x)
    for got, want in zip(found, wanted, strict=True):
        torch.testing.assert_close(got, want)


GOOD = [3, np.int64(3), np.uint8(3), torch.tensor(3)]


@pytest.mark.parametrize("num", GOOD, ids=lambda n: type(n).__name__)
@pytest.mark.parametrize("name", SAMPLING)
def test_a_number_of_samples_of_any_library_is_taken(name, num):
    values = []
    for given in (num, 3):
        torch.manual_seed(3)
        with torch.no_grad():
            values.append(SAMPLING[name](network(), images(), given))
    for got, want in zip(*values, strict=True):
        assert torch.equal(got, want)


@pytest.mark.parametrize("num_images", [1, 2, B])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_all_estimators_agree_on_the_same_draws(num_images, dtype, monkeypatch):
    model, x = network(dtype), images(num_images, dtype)
    noise = torch.randn(4, num_images, Z, dtype=dtype)
    monkeypatch.setattr(torch, "randn", lambda *_, **__: noise)
    monkeypatch.setattr(
        "torch.distributions.normal._standard_normal", lambda *_, **__: noise
    )
    with torch.no_grad():
        log_w = model.log_weights(x, 4)
        terms = model.terms(x, 4)
        slow = model.log_evidence(x, np.int64(4), chunk=4 * num_images)
        fast = evidence.log_evidence(model, x, 4, chunk=4 * num_images)
        value = bernoulli_vae.FusedVAE(model)(x, noise, objective="iwae")
        closed = bernoulli_vae.FusedVAE(model)(x, noise, closed_kl=True)
        nodes = (model.encode(x).mean + model.encode(x).stddev * noise)[:, 0]
        rows = exact.bernoulli_log_likelihood(model.decoder, x[:1], nodes)
    log_p = log_w.logsumexp(0) - np.log(4)
    for found in (slow.log_p, fast.log_p):
        torch.testing.assert_close(found, log_p)
    size = 1 / log_w.softmax(0).square().sum(0)
    for found in (slow.effective_sample_size, fast.effective_sample_size):
        torch.testing.assert_close(found, size, rtol=1e-4, atol=0)
    torch.testing.assert_close(value.iwae, log_p.mean())
    torch.testing.assert_close(value.elbo, log_w.mean())
    torch.testing.assert_close(closed.elbo, terms.elbo.mean())
    torch.testing.assert_close(rows.mean(), terms.reconstruction[0])


@pytest.mark.parametrize("size", [1.0, 30.0, 1e3, 1e6])
def test_fast_log_likelihoods_keep_float32s_digits_at_any_size(size):
    torch.manual_seed(0)
    logits, x = size * torch.randn(4, 3, 50), torch.rand(3, 50).round()
    wanted = nets.bernoulli(logits.double()).log_prob(x.double())
    fast = bernoulli_vae.log_likelihood(logits, x).double()
    slow = nets.bernoulli_log_probs(logits[0], x).double()
    # of a sum of fifty terms; the difference is right to 0.01 nats at least
    torch.testing.assert_close(fast, wanted, rtol=1e-5, atol=1e-2)
    torch.testing.assert_close(slow.diagonal(), wanted[0], rtol=1e-6, atol=0)


def test_right_answers_at_huge_log_odds_cost_nothing_in_float32():
    x = torch.tensor([[1.0, 0.0] * 100])
    logits = 1e6 * (2 * x - 1)
    assert bernoulli_vae.log_likelihood(logits[None], x).item() == 0
    assert nets.bernoulli_log_probs(logits, x).item() == 0
    assert nets.bernoulli(logits).log_prob(x).item() == 0
    wrong = 1 - x
    for found in (
        bernoulli_vae.log_likelihood(logits[None], wrong),
        nets.bernoulli_log_probs(logits, wrong),
    ):
        assert found.item() == -2e8


def test_no_switch_makes_an_estimator_take_grey_pixels():
    code = """
import sys, torch
from torch.distributions import Distribution
Distribution.set_default_validate_args(False)
sys.path.insert(0, "tests/fast")
import test_twins as t
for name, run in t.ALL.items():
    try: run(t.network(), t.grey)
    except ValueError as error: print(name, error)
"""
    done = subprocess.run(
        [sys.executable, "-O", "-c", code],
        env={"JAXTYPING_DISABLE": "1", "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(ALL)
    assert all("must be 0 or 1, got 0.5" in line for line in lines)
