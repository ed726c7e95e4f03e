"""The network is the paper's, its log-weights are a VAE's, and files come back."""

import copy
import json

import pytest
import torch
from safetensors.torch import save_file

from jensengap import bounds, nets
from jensengap.experiments import iwae_table, recordings


@pytest.fixture
def model():
    torch.manual_seed(0)
    return iwae_table.network(torch.full((9,), 0.3))


@pytest.fixture
def x():
    return torch.bernoulli(torch.full((4, 9), 0.3))


def noise(num_samples=3, batch_size=4):
    generator = torch.Generator().manual_seed(1)
    return iwae_table.draw(batch_size, 9, num_samples, generator)


def test_the_network_has_one_layer_of_50_and_two_of_200_on_either_side():
    model = iwae_table.network(torch.full((784,), 0.1))
    shapes = {n: list(p.shape) for n, p in model.named_parameters() if p.ndim == 2}
    assert list(shapes.values()) == [
        [200, 784], [200, 200], [100, 200], [200, 50], [200, 200], [784, 200],
    ]  # fmt: skip
    kinds = [type(m) for net in (model.encoder.net, model.decoder.net) for m in net]
    assert kinds == 2 * [torch.nn.Linear, torch.nn.Tanh, torch.nn.Linear,
                         torch.nn.Tanh, torch.nn.Linear]  # fmt: skip


@pytest.mark.parametrize("objective", ["vae", "iwae"])
def test_loss_and_gradient_are_those_of_the_bound_that_the_name_says(model, objective):
    model = model.double()
    own = iwae_table.Objective(copy.deepcopy(model), objective)
    drawn = iwae_table.Noise(*(each.double() for each in noise()))
    probs = torch.rand(4, 9, dtype=torch.float64)
    loss, both = own(probs, drawn)
    loss.backward()

    x = (drawn.uniform < probs).double()
    q = model.encode(x)
    z = q.mean + q.stddev * drawn.normal
    log_w = model.decode(z).log_prob(x) + model.prior().log_prob(z) - q.log_prob(z)
    wanted = torch.stack([bounds.elbo(log_w).mean(), bounds.iwae(log_w).mean()])
    torch.testing.assert_close(both, wanted.detach(), rtol=1e-13, atol=0)
    assert both[0] < both[1]
    bound = wanted[("vae", "iwae").index(objective)]
    torch.testing.assert_close(loss, -bound, rtol=1e-13, atol=0)
    gradients = torch.autograd.grad(-bound, list(model.parameters()))
    for found, each in zip(own.parameters(), gradients, strict=True):
        torch.testing.assert_close(found.grad, each, rtol=1e-11, atol=1e-13)


def test_with_one_sample_the_two_objectives_are_one(model):
    probs, drawn = torch.rand(4, 9), noise(num_samples=1)
    losses = [iwae_table.Objective(model, o)(probs, drawn)[0] for o in ("vae", "iwae")]
    assert torch.allclose(*losses)


def test_the_noise_of_a_part_is_a_part_of_the_noise():
    whole, halves = noise(), [noise().part(slice(i, i + 2)) for i in (0, 2)]
    assert torch.equal(torch.cat([h.uniform for h in halves]), whole.uniform)
    assert torch.equal(torch.cat([h.normal for h in halves], 1), whole.normal)


def test_scores_depend_on_their_seed_and_on_no_other_chance(model, x):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = iwae_table.score(model, x, 50, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(first.log_p, iwae_table.score(model, x, 50, seed=3).log_p)
    assert not torch.equal(first.log_p, iwae_table.score(model, x, 50, seed=4).log_p)


def test_where_encoder_and_posterior_agree_every_score_is_the_evidence(model, x):
    # nothing depends on z, so the posterior is the prior, and so is the encoder
    with torch.no_grad():
        for net in (model.encoder.net, model.decoder.net):
            net[4].weight.zero_()
        one = torch.tensor(1 - nets.SCALE_FLOOR).expm1().log()  # softplus, inverted
        model.encoder.net[4].bias.copy_(torch.cat([torch.zeros(50), one.expand(50)]))
    log_p = model.decode(torch.zeros(50)).log_prob(x)
    scores = iwae_table.score(model, x, 3000, seed=0)
    assert torch.allclose(scores.log_p, log_p, atol=1e-4)
    assert torch.allclose(scores.elbo, log_p, atol=1e-4)
    assert torch.allclose(scores.effective_sample_size, torch.tensor(3e3), rtol=1e-4)


def test_the_evidence_of_a_network_as_it_was_drawn_lies_above_its_elbo(model, x):
    scores = iwae_table.score(model, x, 3000, seed=0)
    assert bool((scores.elbo < scores.log_p).all())
    assert bool((scores.effective_sample_size < 3000).all())


def test_the_paper_says_that_more_samples_help_the_iwae_more():
    vae, iwae = iwae_table.PAPER["vae"], iwae_table.PAPER["iwae"]
    assert list(vae) == list(iwae) == [1, 5, 50]
    assert vae[1] == iwae[1]
    assert vae[50] - iwae[50] > vae[5] - iwae[5] > 0


def test_a_network_in_a_file_is_read_back(model, tmp_path):
    path = tmp_path / "a.safetensors"
    save_file(model.state_dict(), path, {"settings": json.dumps({"seed": 3})})
    back, settings = iwae_table.load(path)
    assert settings == {"seed": 3}
    for name, tensor in model.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor)


@pytest.mark.parametrize("cut", [5, 200, -1])
def test_a_torn_network_is_refused(model, tmp_path, cut):
    path = tmp_path / "a.safetensors"
    save_file(model.state_dict(), path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"is torn, or no safetensors.*copy it again"):
        iwae_table.load(path)


def test_another_network_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="holds another network: wanted the one of"):
        iwae_table.load(path)


def test_recorded_runs_stand_in_order_and_each_is_a_cell_of_the_table():
    names = ("objective", "num_samples", "num_epochs", "seed")
    runs = recordings.load("iwae-table").runs
    keys = [tuple(run[name] for name in names) for run in runs]
    assert keys == sorted(set(keys))
    assert all(k in iwae_table.PAPER[objective] for objective, k, *_ in keys)


def test_a_recorded_run_is_of_the_full_test_set_and_of_one_whole_training():
    recording = recordings.load("iwae-table")
    assert set(recording.versions) >= {"python", "torch", "safetensors"}
    for run in recording.runs:
        assert (run["num_train"], run["num_test"]) == (60_000, 10_000)
        assert (run["digits"], run["eval_samples"]) == ("full", 5000)
        by_k = iwae_table.PAPER[run["objective"]]
        assert run["paper_nll"] == by_k[run["num_samples"]]
        for curve in run["train"].values():
            assert len(curve) == run["num_epochs"]
        assert 0 < run["nll_stderr"] < 1
        assert run["test_elbo"] < -run["nll"] < 0
