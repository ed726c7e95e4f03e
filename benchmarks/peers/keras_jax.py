"""Keras 3 on JAX: a functional model, a sampling layer that adds the KL, ``fit``.

Source: keras.io/examples/generative/vae, whose own ``train_step`` is for another
backend: the KL is added by ``add_loss``, as the guide to custom layers does.
"""

import os
from pathlib import Path

import numpy as np

os.environ["KERAS_BACKEND"] = "jax"
import keras
from keras import layers, ops

from benchmarks import digits, elbo

DISTRIBUTIONS = ("keras", "jax", "jaxlib")


class Sampling(layers.Layer):
    """Draw z from q(z|x) and add the KL to the loss."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        """One draw for each row."""
        z_mean, z_log_var = inputs
        kl = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        self.add_loss(ops.mean(ops.sum(kl, axis=1)))
        epsilon = keras.random.normal(ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


def reconstruction_loss(data, reconstruction):
    """The cross-entropy of all pixels, in nats an image."""
    return ops.sum(ops.binary_crossentropy(data, reconstruction), axis=-1)


class Training:
    """``fit``, an epoch at a time."""

    def __init__(self, folder: Path, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        self.images = digits.images(folder, "train").astype(np.float32) / 255
        pixels = keras.Input(shape=(784,))
        hidden = layers.Dense(400, activation="relu", name="hidden")(pixels)
        z_mean = layers.Dense(20, name="loc")(hidden)
        z_log_var = layers.Dense(20, name="spread")(hidden)
        z = Sampling()([z_mean, z_log_var])
        back = layers.Dense(400, activation="relu", name="back")(z)
        out = layers.Dense(784, activation="sigmoid", name="logits")(back)
        self.model = keras.Model(pixels, out)
        adam = keras.optimizers.Adam(learning_rate=1e-3)
        self.model.compile(optimizer=adam, loss=reconstruction_loss)

    def epoch(self) -> int:
        """Train for an epoch."""
        self.model.fit(self.images, self.images, epochs=1, batch_size=128, verbose=0)
        return len(self.images)

    def weights(self) -> elbo.Weights:
        """Hand the network over."""
        names = elbo.Weights._fields[:-1]
        pairs = [self.model.get_layer(name).get_weights() for name in names]
        return elbo.Weights(*map(tuple, pairs), "log_variance")
