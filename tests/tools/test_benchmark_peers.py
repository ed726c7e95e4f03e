"""What the bench's numbers mean: one evaluator, one network, the products counted."""

import gzip

import numpy as np
import pytest
import torch
from torch.distributions import kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks import digits, elbo
from benchmarks.peers import (
    evidence_jensengap,
    gan_jensengap,
    gemm_float32,
    jensengap_autograd,
    jensengap_onecycle,
)
from benchmarks.peers import jensengap as ours
from jensengap import data
from jensengap.data import embedded, full


def random_weights(scale: str, blind: bool = False) -> elbo.Weights:
    rng = np.random.default_rng(1)

    def layer(i: int, o: int) -> elbo.Layer:
        return rng.normal(0, 0.3, (i, o)), rng.normal(0, 0.3, o)

    w = [layer(6, 5), layer(5, 2), layer(5, 2), layer(2, 5), layer(5, 6)]
    if blind:  # a decoder that does not look at z
        w[3] = (np.zeros((2, 5)), w[3][1])
    return elbo.Weights(*w, scale)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (2500, 6), dtype=np.uint8)


@pytest.mark.parametrize("scale", elbo.SCALES)
def test_the_evaluator_computes_the_elbo_of_torch(images, scale):
    w = random_weights(scale, blind=True)
    tensors = [tuple(map(torch.from_numpy, each)) for each in w[:-1]]
    hidden, loc, spread, back, logits = tensors
    x = torch.from_numpy(images) / 255.0
    x = x.double()
    h = (x @ hidden[0] + hidden[1]).relu()
    raw = h @ spread[0] + spread[1]
    scales = {
        "log_variance": (raw / 2).exp(),
        "log_scale": raw.exp(),
        "softplus": torch.nn.functional.softplus(raw) + 1e-4,
    }
    q = torch.distributions.Normal(h @ loc[0] + loc[1], scales[scale])
    kl = kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)
    ell = (back[1].relu() @ logits[0] + logits[1]).expand(len(x), 6)
    bce = binary_cross_entropy_with_logits(ell, x, reduction="none").sum(1)
    np.testing.assert_allclose(elbo.elbo(w, images), -(bce + kl).numpy(), atol=1e-6)


def test_noise_is_the_same_for_every_peer_and_reaches_the_decoder(images):
    w = random_weights("log_scale")
    first = elbo.elbo(w, images)
    assert (elbo.elbo(w, images) == first).all()
    assert (elbo.elbo(w, images, seed=1) != first).all()


def test_weights_survive_the_way_through_a_file(images, tmp_path):
    w = random_weights("softplus")
    elbo.save(tmp_path / "w", w)
    assert (elbo.elbo(elbo.load(tmp_path / "w"), images) == elbo.elbo(w, images)).all()


def test_transposed_weights_and_unknown_scales_are_refused(images, tmp_path):
    w = random_weights("softplus")
    turned = w._replace(hidden=(w.hidden[0].T, w.hidden[1]))
    with pytest.raises(ValueError, match=r"reads 5 pixels, got .*\(2500, 6\)"):
        elbo.elbo(turned, images)
    elbo.save(tmp_path / "w", w._replace(scale="variance"))
    with pytest.raises(ValueError, match=r"one of log_variance.*got 'variance'"):
        elbo.load(tmp_path / "w")


@pytest.fixture
def few(tmp_path, monkeypatch):
    """500 digits where the peers look for all of them."""
    pixels, labels = embedded.mnist_5k("train")
    images = data.Images(pixels[:500], labels[:500])
    monkeypatch.setattr(full, "full_mnist", lambda *_, **__: images)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for split in digits.STEMS.values():
        shape = b"".join(n.to_bytes(4, "big") for n in (500, 28, 28))
        body = b"\0\0\x08\x03" + shape + pixels[:500].numpy().tobytes()
        (raw / split).write_bytes(body)
        names = split.replace("images-idx3", "labels-idx1")
        count = b"\0\0\x08\x01" + (500).to_bytes(4, "big")
        (raw / names).write_bytes(count + bytes(labels[:500].tolist()))
    yield tmp_path
    torch.set_flush_denormal(False)


@pytest.mark.parametrize("peer", [ours, jensengap_autograd])
def test_our_peers_learn_and_hand_over_what_they_learned(few, peer):
    training = peer.Training(few, seed=0)
    images = digits.images(few, "test")
    before = elbo.elbo(training.weights(), images).mean()
    assert [training.epoch() for _ in range(4)] == [500] * 4
    after = elbo.elbo(training.weights(), images)
    assert after.mean() > before + 5
    # the step's own estimate, on the same images
    with torch.no_grad():
        rows = torch.arange(500)
        batch = (rows, torch.randn(500, 20)) if peer is ours else rows
        loss, _ = training.step(batch)
    assert abs(after.mean() + float(loss)) < 4 * 5.0 / 500**0.5  # 5 nats: of one draw


def test_the_recipe_of_the_examples_hands_over_what_it_learned(few):
    from benchmarks.peers import pytorch_examples as peer

    training = peer.Training(few, seed=0)
    assert training.epoch() == 500
    images = digits.images(few, "test")
    x = torch.from_numpy(images) / 255.0
    with torch.no_grad():
        loss = peer.loss_function(training.model(x)[0], x, *training.model(x)[1:])
    own = -float(loss) / 500
    assert abs(elbo.elbo(training.weights(), images).mean() - own) < 4 * 5.0 / 500**0.5


def test_the_ceiling_multiplies_all_that_training_must(monkeypatch):
    # forward and both gradients, of which the first layer needs one
    layers = 784 * 400 + 400 * 40 + 20 * 400 + 400 * 784
    assert 2 * (3 * layers - 784 * 400) == gemm_float32.FLOP == 3_280_000
    monkeypatch.setattr(gemm_float32, "IMAGES", 300)
    products = []
    keep = torch.mm
    monkeypatch.setattr(
        torch, "mm", lambda a, b: products.append((a.shape, b.shape)) or keep(a, b)
    )
    training = gemm_float32.Training(None, 0)
    assert training.epoch() == 300
    assert training.weights() is None
    done = sum(2 * a[0] * a[1] * b[1] for a, b in products)
    assert done == 300 * gemm_float32.FLOP


def test_the_error_of_a_faster_product_is_told():
    single = gemm_float32.relative_error(torch.float32)
    assert 0 < single < 1e-5 < gemm_float32.relative_error(torch.bfloat16) < 1e-2


def test_a_cycle_ends_with_its_last_epoch(few):
    training = jensengap_onecycle.Training(few, seed=0)
    for _ in range(jensengap_onecycle.EPOCHS):
        training.epoch()
    assert training.player.optimizer.param_groups[0]["lr"] < 1e-3
    with pytest.raises(ValueError, match=r"the cycle of .* is over"):
        training.epoch()


def test_weights_go_into_networks_and_come_back_as_they_were():
    first, second = ours.network(), ours.network()
    given = elbo.of_networks(first.encoder.net, first.decoder.net)
    elbo.into_networks(given, second.encoder.net, second.decoder.net)
    z, x = torch.randn(3, 20), torch.rand(3, 784)
    assert (second.decoder.net(z) == first.decoder.net(z)).all()
    assert (second.encoder.net(x) == first.encoder.net(x)).all()
    wrong = given._replace(scale="log_variance")
    with pytest.raises(ValueError, match="softplus, got log_variance"):
        elbo.into_networks(wrong, second.encoder.net, second.decoder.net)


@pytest.fixture
def trained(few, monkeypatch):
    """A network beside the digits, and few images and draws."""
    training = ours.Training(few, seed=0)
    training.epoch()
    elbo.save(few / evidence_jensengap.NETWORK, training.weights())
    monkeypatch.setattr(evidence_jensengap, "IMAGES", 8)
    monkeypatch.setattr(evidence_jensengap, "SAMPLES", 300)
    return few


def test_log_p_is_above_the_elbo_of_the_same_network(trained):
    peer = evidence_jensengap.Training(trained, seed=0)
    assert peer.epoch() == 8
    binary = (255 * evidence_jensengap.images(trained)).byte().numpy()
    below = elbo.elbo(elbo.load(trained / evidence_jensengap.NETWORK), binary)
    assert peer.score > below.mean()


def test_pythae_estimates_the_same_log_p_from_the_same_weights(trained):
    pytest.importorskip("pythae", reason="pythae is in the bench's environment only")
    from benchmarks.peers import evidence_pythae

    mine = evidence_jensengap.Training(trained, seed=0)
    theirs = evidence_pythae.Training(trained, seed=0)
    assert mine.epoch() == theirs.epoch() == 8
    assert abs(mine.score - theirs.score) < 1.0  # nats: 300 draws of few images


def test_both_players_of_our_gan_move_and_half_a_coin_is_where_they_start(few):
    game = gan_jensengap.Training(few, seed=0)
    before = [net[0].weight.clone() for net in (game.generator, game.discriminator)]
    assert game.epoch() == 500
    after = [net[0].weight for net in (game.generator, game.discriminator)]
    assert all((a != b).any() for a, b in zip(before, after, strict=True))
    assert all(0 < loss < 3 for loss in game.losses)


def test_packed_and_plain_digits_are_unpacked_alike(tmp_path):
    raw = tmp_path / "from" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    content = bytes(16) + bytes(range(256)) * 49
    for stem in digits.STEMS.values():
        (raw / f"{stem}.gz").write_bytes(gzip.compress(content))
        (raw / stem.replace("images-idx3", "labels-idx1")).write_bytes(b"labels")
    digits.unpack(tmp_path / "from", tmp_path / "to")
    assert digits.images(tmp_path / "to", "train").shape == (16, 784)
    assert len(list((tmp_path / "to" / "MNIST" / "raw").iterdir())) == 4


def test_without_digits_a_sentence_says_how_to_get_them(tmp_path, monkeypatch):
    def offline(*_):
        raise ConnectionError("MNIST could not be downloaded; is there a network?")

    monkeypatch.setattr(full, "full_mnist", offline)
    monkeypatch.setenv("JENSENGAP_DATA", str(tmp_path))
    assert digits.source() == tmp_path
    with pytest.raises(
        SystemExit, match=r"is there a network.*JENSENGAP_DATA may name"
    ):
        digits.main()
