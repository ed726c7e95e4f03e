"""Tiny steps keep their digits; steps and predictions of another kind are refused."""

import mpmath
import numpy as np
import pytest
import torch

from jensengap import diffusion

F64 = {"dtype": torch.float64}
NOISE = diffusion.schedule(torch.tensor([0.1, 0.2, 0.4], **F64))


@pytest.mark.parametrize("beta", [1e-9, 1e-12, 1e-5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_steps_of_tiny_variance_keep_their_digits(beta, dtype):
    betas = torch.full((5,), beta, dtype=dtype)
    noise = diffusion.schedule(betas)
    x_0, t = torch.ones(2, 3, dtype=dtype), torch.tensor(5)
    with mpmath.workdps(40):
        left = 1 - (1 - mpmath.mpf(float(betas[0]))) ** 5
        scale, weight = float(mpmath.sqrt(left)), mpmath.mpf(float(betas[0]))
        weight = float(weight / (2 * (1 - weight) * left))
    # of float32 alone 1 - alpha_bar would be zero
    q = diffusion.diffuse(noise, x_0, t)
    assert q.stddev.dtype == dtype
    assert q.stddev[0, 0].item() == pytest.approx(scale, rel=1e-6)
    assert noise.noise_weights[5].item() == pytest.approx(weight, rel=1e-10)
    back = diffusion.posterior(noise, x_0, x_0, t)
    # of five equal steps the last but one has 4/5 of the variance
    assert back.variance[0, 0].item() == pytest.approx(beta * 4 / 5, rel=1e-4)
    torch.testing.assert_close(back.mean, x_0)
    terms = diffusion.terms(noise, x_0, lambda x, t: torch.zeros_like(x))
    for term in terms:
        assert term.isfinite().all()


@pytest.mark.parametrize("kind", [torch.uint8, torch.int8, torch.int32, torch.int64])
def test_steps_of_any_whole_kind_are_places_in_the_schedule(kind):
    x, t = torch.ones(3, 2, **F64), torch.tensor([1, 3, 2])
    wanted = diffusion.diffuse(NOISE, x, t)
    found = diffusion.diffuse(NOISE, x, t.to(kind))
    assert torch.equal(found.mean, wanted.mean)
    assert torch.equal(found.stddev, wanted.stddev)
    assert found.stddev.shape == (3, 2)


@pytest.mark.parametrize(
    ("t", "said"),
    [
        (torch.tensor(1.0), "^t must hold whole numbers"),
        (torch.tensor(True), "^t must hold whole numbers"),
        (torch.tensor([1, 2]), "^t must have the shape"),
        (torch.tensor([4, 1, 1]), "steps must lie between 1 and 3, got 1 to 4"),
        (1, "^t must be a tensor"),
    ],
)
def test_what_are_no_steps_of_these_points_is_refused(t, said):
    with pytest.raises(ValueError, match=said):
        diffusion.diffuse(NOISE, torch.ones(3, 2), t)
    with pytest.raises(ValueError, match=said):
        diffusion.reverse(NOISE, torch.ones(3, 2), torch.ones(3, 2), t)


@pytest.mark.parametrize(
    ("predict", "came"),
    [
        (lambda x, t: x[0], r"\(4, 2\)"),
        (lambda x, t: x.sum(-1), r"\(3, 4\)"),
        (lambda x, t: x.sum(-1, keepdim=True), r"\(3, 4, 1\)"),
        (lambda x, t: 0.0, r"\(\)"),
    ],
)
def test_a_prediction_of_another_shape_is_refused(predict, came):
    with pytest.raises(ValueError, match=rf"shape \(3, 4, 2\), got {came}; t has"):
        diffusion.terms(NOISE, torch.ones(4, 2), predict)


def test_points_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"^eps must have the shape \(\*b, d\) with"):
        diffusion.reverse(NOISE, torch.ones(3, 2), torch.ones(3, 1), torch.tensor(1))
    with pytest.raises(
        ValueError, match=r"^x_0 must have the shape \(n, d\), .*x\[Non"
    ):
        diffusion.terms(NOISE, torch.ones(2), lambda x, t: x)


@pytest.mark.parametrize("num_steps", [2.5, True, "3"])
def test_a_number_of_steps_is_whole(num_steps):
    with pytest.raises(ValueError, match=r"^num_steps must be a whole number"):
        diffusion.cosine_schedule(num_steps)
    assert diffusion.cosine_schedule(np.int64(3)).num_steps == 3
