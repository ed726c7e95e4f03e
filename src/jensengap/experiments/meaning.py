"""Probe what a VAE's and a GAN's codes say about the digit: one run with its controls.

The chapter ``meaning`` trains one pair before the reader's eyes; the recording of that
name holds this run for several seeds.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import mse_loss

from jensengap import data, digit_gan, metrics, nets, probes, recipes, train, vae
from jensengap.data import embedded

LATENT_DIM = 16
NUM_EPOCHS = 5  # of either model, 625 steps of one batch size
BATCH_SIZE = 32
NUM_IMAGES = 500  # of training digits, and of test digits, that are encoded


def fit_both(
    probs: Float[Tensor, "n d"], num_epochs: int = NUM_EPOCHS
) -> tuple[vae.VAE, digit_gan.DigitGan]:
    """Train a VAE and a GAN of the same networks on the same images.

    Args:
        probs: intensities in [0, 1]; the VAE draws its pixels from them.
        num_epochs: passes over the images, of each.

    Returns:
        Both models, from torch's global generator.
    """
    model = digit_gan.twin_vae(LATENT_DIM)
    recipes.fit_vae(
        model, probs, num_epochs=num_epochs, max_rate=8e-3, batch_size=BATCH_SIZE
    )
    rival = digit_gan.DigitGan(LATENT_DIM)
    digit_gan.fit_gan(rival, probs, num_epochs=num_epochs, batch_size=BATCH_SIZE)
    return model, rival


@torch.no_grad()
def labelled_codes(
    generate: Callable[[Tensor], Tensor],
    judge: recipes.Classifier,
    num_codes: int,
    chunk: int = 500,
) -> tuple[Tensor, Tensor]:
    """Draw codes from the prior, and label their images by a classifier.

    Args:
        generate: from ``z`` to an image.
        judge: a trained classifier.
        num_codes: how many, at least 1.
        chunk: images at a time.

    Returns:
        Codes ``(n, z)`` and labels ``(n,)``.
    """
    z = torch.randn(num_codes, LATENT_DIM)
    return z, torch.cat([judge.predict(generate(part)) for part in z.split(chunk)])


def fit_inverse(
    generate: Callable[[Tensor], Tensor], num_steps: int = 750
) -> nets.OnRows:
    r"""Train an encoder for a fixed generator: regress ``z`` on ``G(z)``.

    Every step draws fresh codes, so nothing but the generator is needed, and no data.

    Args:
        generate: from ``z`` to an image.
        num_steps: of Adam.

    Returns:
        A network from images to codes.
    """
    net = nets.from_image(LATENT_DIM)
    adam = torch.optim.Adam(net.parameters(), 4e-3, fused=True)
    schedule = recipes.one_cycle(adam, num_steps, warm_up=0.3)

    def step(_: int) -> tuple[Tensor, train.Terms]:
        z = torch.randn(BATCH_SIZE, LATENT_DIM)
        with torch.no_grad():
            x = generate(z)
        return mse_loss(net(x), z), {}

    player = train.Player("error", step, adam, schedule)
    train.fit(lambda: range(num_steps), player, 1, progress=False)
    return net


def run(seed: int, num_epochs: int = NUM_EPOCHS) -> dict[str, float | list[float]]:
    """Train a classifier, a VAE and a GAN, and fit linear probes to their codes.

    Args:
        seed: the source of all chance.
        num_epochs: passes over the images of VAE and GAN.

    Returns:
        Accuracies and controls by name; those of codes of real images begin with
        ``of_``, those of generated images end with the model's name.
    """
    torch.manual_seed(seed)
    digits, tests = embedded.mnist_5k("train"), embedded.mnist_5k("test")
    probs, held_out = (data.unit_pixels(each.pixels) for each in (digits, tests))
    judge = recipes.Classifier()
    recipes.fit_classifier(judge, probs, digits.labels, num_epochs=5)
    right = probes.accuracy(judge.predict(held_out), tests.labels)
    model, rival = fit_both(probs, num_epochs)
    generators = {"vae": lambda z: model.decode(z).mean, "gan": rival.generate}
    results = {"classifier": right.mean}
    for name, generate in generators.items():
        results |= _from_prior(name, generate, judge, held_out)
    results |= _of_images(model, rival, probs[:NUM_IMAGES], held_out[:NUM_IMAGES])
    with torch.no_grad():
        # precision and recall of real digits against others: what a perfect model has
        features = judge.features(held_out), judge.features(probs[: len(held_out)])
        log_p = model.log_evidence(data.binarize(held_out[:200]), 500).log_p
        elbo = model.terms(data.binarize(held_out)).elbo
    shares = metrics.precision_recall(*features)
    results |= {"precision_real": shares.precision, "recall_real": shares.recall}
    results["steepness_real"] = metrics.edge_steepness(held_out).mean()
    results |= {"elbo_vae": elbo.mean(), "log_p_vae": log_p.mean()}
    return {name: _rounded(value) for name, value in results.items()}


def _from_prior(
    name: str,
    generate: Callable[[Tensor], Tensor],
    judge: recipes.Classifier,
    held_out: Tensor,
) -> dict[str, Tensor]:
    """Probe codes drawn from the prior, and compare their images with real ones."""
    codes, labels = labelled_codes(generate, judge, 4000)
    # fresh codes: a probe is judged where it was not fitted
    new_codes, new_labels = labelled_codes(generate, judge, 2000)
    found = probes.evaluate(codes, labels, new_codes, new_labels)
    with torch.no_grad():
        images = generate(new_codes[: len(held_out)])
        shares = metrics.precision_recall(
            judge.features(held_out), judge.features(images)
        )
        sure = judge(images).softmax(1).amax(1).mean()
    return {
        f"accuracy_{name}": found.accuracy.mean,
        f"majority_{name}": found.majority.mean,
        f"permuted_{name}": found.permuted.mean,
        f"score_{name}": found.score,
        f"balance_{name}": labels.bincount(minlength=10) / len(labels),
        f"confidence_{name}": sure,
        f"precision_{name}": shares.precision,
        f"recall_{name}": shares.recall,
        f"steepness_{name}": metrics.edge_steepness(images).mean(),
    }


def _of_images(
    model: vae.VAE, rival: digit_gan.DigitGan, train_x: Tensor, test_x: Tensor
) -> dict[str, Tensor]:
    """Probe codes of real images: learned ones, inverted ones, and controls."""
    x = torch.cat([train_x, test_x])
    # a control: the same network with random weights
    untrained = digit_gan.twin_vae(LATENT_DIM)
    inverses = {
        name: digit_gan.invert(
            net, x, latent_dim=LATENT_DIM, num_starts=2, num_steps=40
        )
        for name, net in (("vae", model.decoder.net), ("gan", rival.net))
    }
    # the GAN has no encoder: one is trained after the fact
    late = fit_inverse(rival.generate)
    with torch.no_grad():
        means = model.encode(x).mean
        components = probes.principal_components(train_x, LATENT_DIM)
        projection = probes.random_projection(train_x, LATENT_DIM)
        codes = {
            "vae_means": means,
            "vae_inverted": inverses["vae"].codes,
            "gan_inverted": inverses["gan"].codes,
            "gan_encoder": late(x),
            "pixels": x,
            "components": components.encode(x),
            "random_projection": projection.encode(x),
            "random_encoder": untrained.encode(x).mean,
        }
        back = model.decode(means).mean - x
    num = len(train_x)
    labels = torch.arange(num) % 10  # of both sets: classes take turns
    results = {}
    for name, code in codes.items():
        found = probes.evaluate(code[:num], labels, code[num:], labels)
        results[f"of_{name}"] = found.accuracy.mean
        results[f"permuted_of_{name}"] = found.permuted.mean
    results |= {f"error_{n}_inverted": i.error.mean() for n, i in inverses.items()}
    return results | {"error_vae_means": back.square().mean(1).sqrt().mean()}


def _rounded(value: Tensor) -> float | list[float]:
    """Round to five decimals, so that a recording stays short."""
    return torch.as_tensor(value).double().mul(1e5).round().div(1e5).tolist()
