"""The written-out chain rule against autograd, in float64, for every kind of loss."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn

from jensengap import bounds, nets, vae
from jensengap.fast import bernoulli_vae

K, B, D, Z = 4, 6, 9, 3


def model(activation=nn.Tanh, hidden=(7, 5)) -> vae.VAE:
    torch.manual_seed(0)
    kind = {"activation": activation}
    return vae.VAE(
        nets.Conditional(nets.mlp(D, *hidden, 2 * Z, **kind), nets.gaussian_head),
        nets.Conditional(nets.mlp(Z, *hidden, D, **kind), nets.bernoulli),
        nets.StandardNormal(Z),
    ).double()


def batch(k=K):
    noise = torch.randn(k, B, Z, dtype=torch.float64)
    return torch.rand(B, D, dtype=torch.float64).round(), noise


def flat(gradients):
    return torch.cat([each.flatten() for each in gradients])


def by_autograd(one: vae.VAE, x, noise, objective, closed):
    q = one.encode(x)
    z = q.mean + q.stddev * noise
    seen = one.decode(z).log_prob(x)
    if closed:
        kl = torch.distributions.kl_divergence(q, one.prior())
        loss = -(seen.mean(0) - kl).mean()
    else:
        log_w = seen + one.prior().log_prob(z) - q.log_prob(z)
        loss = -(bounds.elbo if objective == "vae" else bounds.iwae)(log_w).mean()
    loss.backward()
    return loss.detach(), [p.grad for p in one.parameters()]


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU])
@pytest.mark.parametrize("hidden", [(7, 5), (7,), ()])
@pytest.mark.parametrize("k", [1, K])
@pytest.mark.parametrize(
    ("objective", "closed"), [("vae", True), ("vae", False), ("iwae", False)]
)
def test_value_and_gradient_are_those_of_autograd(
    activation, hidden, k, objective, closed
):
    one = model(activation, hidden)
    x, noise = batch(k)
    wanted, gradients = by_autograd(copy.deepcopy(one), x, noise, objective, closed)
    own = bernoulli_vae.FusedVAE(one)
    value = own(x, noise, objective=objective, closed_kl=closed)
    value.loss.backward()
    torch.testing.assert_close(value.loss.detach(), wanted, rtol=1e-13, atol=1e-13)
    found = [each.grad for each in own.parameters()]
    for got, want in zip(found, gradients, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("k", [1, K])
def test_the_doubly_reparameterised_gradient_is_that_of_autograd(k):
    """The encoder's from weights squared and a q held still; the decoder's as ever."""
    one = model()
    x, noise = batch(k)
    plain = copy.deepcopy(one)
    by_autograd(plain, x, noise, "iwae", False)
    other = copy.deepcopy(one)
    q = other.encode(x)
    z = q.mean + q.stddev * noise
    still = torch.distributions.Normal(q.mean.detach(), q.stddev.detach())
    log_q = still.log_prob(z).sum(-1)
    log_w = other.decode(z).log_prob(x) + other.prior().log_prob(z) - log_q
    weights = log_w.detach().softmax(0)
    loss = -(weights.square() * log_w).sum(0).mean()
    encoder = list(other.encoder.parameters())
    wanted = list(torch.autograd.grad(loss, encoder))
    wanted += [each.grad for each in plain.decoder.parameters()]
    own = bernoulli_vae.FusedVAE(one)
    value = own(x, noise, objective="iwae", doubly=True)
    assert value.iwae == own(x, noise, objective="iwae").iwae
    value.loss.backward()
    found = [each.grad for each in own.parameters()]
    for got, want in zip(found, wanted, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-13)


def test_both_encoder_gradients_have_one_mean():
    own = bernoulli_vae.FusedVAE(model())
    x, _ = batch()
    encoder = list(own.model.encoder.parameters())
    generator = torch.Generator().manual_seed(0)

    def draws(doubly):
        for _ in range(1500):
            noise = torch.randn(20, B, Z, generator=generator, dtype=torch.float64)
            loss = own(x, noise, objective="iwae", doubly=doubly).loss
            yield flat(torch.autograd.grad(loss, encoder))

    plain, doubly = (torch.stack(list(draws(way))) for way in (False, True))
    # a pixel that no image of the batch has moves no weight
    moved = plain[0] != 0
    assert torch.equal(moved, doubly[0] != 0)
    plain, doubly = plain[:, moved], doubly[:, moved]
    stderr = ((plain.var(0) + doubly.var(0)) / 1500).sqrt()
    off = (plain.mean(0) - doubly.mean(0)) / stderr
    # the worst of up to 146 numbers: beyond five as rarely as one is beyond four
    assert off.abs().max() < 5
    # and that would be seen: what they agree on is far from zero
    assert (doubly.mean(0) / stderr).abs().max() > 20


def test_at_the_posterior_the_doubly_reparameterised_gradient_is_zero():
    """A decoder that ignores z has the prior as posterior; the encoder gives it."""
    one = model()
    with torch.no_grad():
        one.decoder.net[0].weight.zero_()
        last = one.encoder.net[-1]
        last.weight.zero_()
        # softplus of it and the floor are 1
        raw = torch.tensor(1 - nets.SCALE_FLOOR, dtype=torch.float64).expm1().log()
        last.bias.copy_(torch.cat([torch.zeros(Z), raw.expand(Z)]))
    own = bernoulli_vae.FusedVAE(one)
    encoder = list(own.model.encoder.parameters())
    x, noise = batch()

    def largest(**words):
        loss = own(x, noise, objective="iwae", **words).loss
        return float(flat(torch.autograd.grad(loss, encoder)).abs().max())

    assert largest(doubly=True) < 1e-14
    assert largest() > 0.01


def test_both_bounds_come_with_the_loss():
    one = model()
    x, noise = batch()
    own = bernoulli_vae.FusedVAE(one)
    as_vae, as_iwae = own(x, noise), own(x, noise, objective="iwae")
    assert as_vae.elbo == as_iwae.elbo == -as_vae.loss
    assert as_vae.iwae == as_iwae.iwae == -as_iwae.loss
    assert as_iwae.iwae > as_iwae.elbo


def test_grey_targets_are_those_of_the_cross_entropy():
    one = model()
    x, noise = torch.rand(B, D, dtype=torch.float64), torch.zeros(1, B, Z).double()
    own = bernoulli_vae.FusedVAE(one)
    with pytest.raises(ValueError, match=r"^x must be 0 or 1, got 0\.\d"):
        own(x, noise, closed_kl=True)
    value = own(x, noise, closed_kl=True, grey_targets=True)
    q = one.encode(x)
    logits = one.decoder.net(q.mean)
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    kl = torch.distributions.kl_divergence(q, one.prior()).mean()
    torch.testing.assert_close(value.loss, entropy / B + kl)


@pytest.mark.parametrize(
    "make",
    [
        lambda params: torch.optim.Adam(params, 0.01, fused=True),
        lambda params: torch.optim.SGD(params, 0.1, momentum=0.9, foreach=True),
        lambda params: torch.optim.RMSprop(params, 0.01),
    ],
)
def test_any_optimiser_of_torch_takes_the_steps_that_autograd_would(make):
    fast, slow = model(), model()
    own = bernoulli_vae.FusedVAE(fast)
    ours, theirs = make(own.parameters()), make(slow.parameters())
    for _ in range(5):
        x, noise = batch()
        ours.zero_grad()
        own(x, noise).loss.backward()
        ours.step()
        theirs.zero_grad()
        by_autograd(slow, x, noise, "vae", False)
        theirs.step()
    for got, want in zip(fast.parameters(), slow.parameters(), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-11)


def test_gradients_add_up_over_batches_until_they_are_cleared():
    own = bernoulli_vae.FusedVAE(model())
    both = [batch(), batch()]
    for x, noise in both:
        own(x, noise).loss.backward()
    found = flat([each.grad for each in own.parameters()])
    each = [
        flat(torch.autograd.grad(own(x, noise).loss, list(own.parameters())))
        for x, noise in both
    ]
    torch.testing.assert_close(found, sum(each))


def test_gradient_is_scaled_by_what_comes_after_the_loss():
    own = bernoulli_vae.FusedVAE(model())
    x, noise = batch()
    parameters = list(own.parameters())
    plain = flat(torch.autograd.grad(own(x, noise).loss, parameters))
    third = flat(torch.autograd.grad(own(x, noise).loss / 3, parameters))
    torch.testing.assert_close(3 * third, plain)


def test_a_second_backward_is_refused_in_a_sentence():
    own = bernoulli_vae.FusedVAE(model())
    loss = own(*batch()).loss
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="backward was called twice"):
        loss.backward()


@pytest.mark.parametrize(
    "words", [{"objective": "gan"}, {"objective": "iwae", "closed_kl": True}]
)
def test_unknown_objectives_are_refused(words):
    with pytest.raises(ValueError, match="objective must be vae"):
        bernoulli_vae.FusedVAE(model())(*batch(), **words)


def test_the_vae_has_no_doubly_reparameterised_gradient():
    with pytest.raises(ValueError, match="doubly is a gradient of the iwae's"):
        bernoulli_vae.FusedVAE(model())(*batch(), doubly=True)


def test_other_models_are_refused_by_name():
    one = model()
    one.decoder.head = nets.fixed_scale(1.0)
    with pytest.raises(ValueError, match=r"wanted a VAE of nets\.gaussian_head"):
        bernoulli_vae.FusedVAE(one)
    one = model(nn.Sigmoid)
    with pytest.raises(ValueError, match=r"got .*Sigmoid"):
        bernoulli_vae.FusedVAE(one)


def by_file(own):
    file = io.BytesIO()
    torch.save(own, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda own: pickle.loads(pickle.dumps(own)), by_file],
    ids=["deepcopy", "pickle", "torch.save"],
)
def test_a_copy_trains_its_own_model_and_not_the_first(copied):
    first = bernoulli_vae.FusedVAE(model())
    before = flat([each.detach().clone() for each in first.parameters()])
    other = copied(first)
    x, noise = batch()
    optimiser = torch.optim.SGD(other.parameters(), 0.1)
    for _ in range(2):  # at the second step the parameters have moved
        optimiser.zero_grad()
        plain = copy.deepcopy(other.model)
        _, wanted = by_autograd(plain, x, noise, "iwae", False)
        other(x, noise, objective="iwae").loss.backward()
        found = [each.grad for each in other.parameters()]
        torch.testing.assert_close(flat(found), flat(wanted))
        optimiser.step()
    assert torch.equal(flat([each.detach() for each in first.parameters()]), before)
    assert not torch.equal(flat([p.detach() for p in other.parameters()]), before)


@pytest.mark.parametrize(
    "move", [lambda m: m.float(), lambda m: m.float().double(), lambda m: m.to("cpu")]
)
def test_a_model_that_was_moved_is_still_the_one_that_is_trained(move):
    own = bernoulli_vae.FusedVAE(model())
    own = move(own)
    dtype = next(own.parameters()).dtype
    x, noise = (each.to(dtype) for each in batch())
    _, wanted = by_autograd(copy.deepcopy(own.model), x, noise, "vae", False)
    own(x, noise).loss.backward()
    found = flat([each.grad for each in own.parameters()])
    assert found.dtype == dtype
    torch.testing.assert_close(found, flat(wanted))
    torch.optim.SGD(own.parameters(), 0.1).step()
    after, _ = by_autograd(copy.deepcopy(own.model), x, noise, "vae", False)
    torch.testing.assert_close(own(x, noise).loss.detach(), after)


def test_parameters_that_were_replaced_are_seen():
    one = model()
    own = bernoulli_vae.FusedVAE(one)
    x, noise = batch()
    for parameter in one.parameters():
        parameter.data = (
            parameter.data + 0.1
        )  # other memory, as load_state_dict(assign)
    wanted, _ = by_autograd(copy.deepcopy(one), x, noise, "vae", False)
    torch.testing.assert_close(own(x, noise).loss.detach(), wanted)


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        (torch.zeros(K, B, Z), r"noise must be torch\.float64 .* got torch\.float32"),
        (torch.zeros(K, B, Z + 1).double(), r"b = 6 and z = 3, got \(4, 6, 4\)"),
        (torch.zeros(K, 1, Z).double(), "^noise must have .* with b = 6"),
        (torch.zeros(B, Z).double(), "^noise must have the shape"),
        (torch.zeros(0, B, Z).double(), "^noise must have the shape"),
    ],
)
def test_noise_of_another_shape_or_dtype_is_refused(noise, said):
    x, _ = batch()
    with pytest.raises(ValueError, match=said):
        bernoulli_vae.FusedVAE(model())(x, noise)
