"""The VAE of NumPyro's examples: stax networks, ``SVI``, one compiled loop an epoch.

Source: github.com/pyro-ppl/numpyro, ``examples/vae.py``; ReLU for its softplus, and the
grey intensities instead of its binarisation, as everywhere here. Like the example, it
leaves the last, smaller batch out.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax import jit, lax, random
from jax.example_libraries import stax
from numpyro import optim
from numpyro.infer import SVI, Trace_ELBO

from benchmarks import digits, elbo

DISTRIBUTIONS = ("numpyro", "jax", "jaxlib")
BATCH = 128


def encoder(hidden_dim, z_dim):
    """From x to the means and scales of q(z|x)."""
    return stax.serial(
        stax.Dense(hidden_dim, W_init=stax.randn()),
        stax.Relu,
        stax.FanOut(2),
        stax.parallel(
            stax.Dense(z_dim, W_init=stax.randn()),
            stax.serial(stax.Dense(z_dim, W_init=stax.randn()), stax.Exp),
        ),
    )


def decoder(hidden_dim, out_dim):
    """From z to intensities."""
    return stax.serial(
        stax.Dense(hidden_dim, W_init=stax.randn()),
        stax.Relu,
        stax.Dense(out_dim, W_init=stax.randn()),
        stax.Sigmoid,
    )


def model(batch, hidden_dim=400, z_dim=20):
    """p(z) p(x|z)."""
    batch_dim, out_dim = jnp.shape(batch)
    decode = numpyro.module("decoder", decoder(hidden_dim, out_dim), (batch_dim, z_dim))
    with numpyro.plate("batch", batch_dim):
        z = numpyro.sample("z", dist.Normal(0, 1).expand([z_dim]).to_event(1))
        img_loc = decode(z)
        # grey values are no outcomes of a Bernoulli: no check of them
        pixels = dist.Bernoulli(img_loc, validate_args=False).to_event(1)
        return numpyro.sample("obs", pixels, obs=batch)


def guide(batch, hidden_dim=400, z_dim=20):
    """q(z|x)."""
    batch_dim, out_dim = jnp.shape(batch)
    encode = numpyro.module("encoder", encoder(hidden_dim, z_dim), (batch_dim, out_dim))
    z_loc, z_std = encode(batch)
    with numpyro.plate("batch", batch_dim):
        return numpyro.sample("z", dist.Normal(z_loc, z_std).to_event(1))


class Training:
    """The example's ``main``, an epoch at a time."""

    def __init__(self, folder: Path, seed: int) -> None:
        images = jnp.asarray(digits.images(folder, "train").astype(np.float32) / 255)
        self.svi = SVI(model, guide, optim.Adam(1e-3), Trace_ELBO())
        self.key, first = random.split(random.PRNGKey(seed))
        self.state = self.svi.init(first, images[:BATCH])
        self.num_batches, self.num_images = len(images) // BATCH, len(images)
        self.shuffle = np.random.default_rng(seed)

        @jit
        def epoch_train(state, order):
            def body_fn(i, val):
                loss_sum, state = val
                rows = lax.dynamic_slice_in_dim(order, i * BATCH, BATCH)
                state, loss = self.svi.update(state, jnp.take(images, rows, axis=0))
                return loss_sum + loss, state

            return lax.fori_loop(0, self.num_batches, body_fn, (0.0, state))

        self.epoch_train = epoch_train

    def epoch(self) -> int:
        """Train for an epoch."""
        order = self.shuffle.permutation(self.num_images)
        loss, self.state = self.epoch_train(self.state, order)
        jax.block_until_ready((loss, self.state))
        return self.num_batches * BATCH

    def weights(self) -> elbo.Weights:
        """Hand the network over."""
        params = self.svi.get_params(self.state)
        hidden, _, _, (loc, (spread, _)) = params["encoder$params"]
        back, _, logits, _ = params["decoder$params"]
        layers = (hidden, loc, spread, back, logits)
        pairs = [(np.asarray(matrix), np.asarray(bias)) for matrix, bias in layers]
        return elbo.Weights(*pairs, "log_scale")
