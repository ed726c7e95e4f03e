"""pythae: a ``VAE`` with networks of one's own, trained by its ``BaseTrainer``.

``train_step`` is the epoch of its ``train``, which cannot be stopped in between. The
digits are a tensor in memory, as its ``TrainingPipeline`` makes one of them.
"""

import tempfile
from pathlib import Path

import torch
from pythae.data.preprocessors import DataProcessor
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from torch import nn

from benchmarks import digits, elbo

DISTRIBUTIONS = ("pythae", "torch")


class Encoder(BaseEncoder):
    """One hidden layer, where pythae's own has 512."""

    def __init__(self):
        BaseEncoder.__init__(self)
        self.latent_dim = 20
        self.hidden = nn.Sequential(nn.Linear(784, 400), nn.ReLU())
        self.embedding = nn.Linear(400, 20)
        self.log_var = nn.Linear(400, 20)

    def forward(self, x):
        """Means and log-variances of q(z|x)."""
        hidden = self.hidden(x.reshape(-1, 784))
        return ModelOutput(
            embedding=self.embedding(hidden), log_covariance=self.log_var(hidden)
        )


class Decoder(BaseDecoder):
    """The same backwards."""

    def __init__(self):
        BaseDecoder.__init__(self)
        self.hidden = nn.Sequential(nn.Linear(20, 400), nn.ReLU())
        self.out = nn.Sequential(nn.Linear(400, 784), nn.Sigmoid())

    def forward(self, z):
        """The means of the pixels."""
        out = self.out(self.hidden(z)).reshape((z.shape[0], 1, 28, 28))
        return ModelOutput(reconstruction=out)


def layers(model: VAE) -> tuple[nn.Linear, ...]:
    """Return the linear layers in the order of `elbo.Weights`."""
    e, d = model.encoder, model.decoder
    return e.hidden[0], e.embedding, e.log_var, d.hidden[0], d.out[0]


class Training:
    """A trainer, an epoch at a time."""

    def __init__(self, folder: Path, seed: int) -> None:
        torch.manual_seed(seed)
        self.kept = tempfile.TemporaryDirectory()
        pixels = torch.from_numpy(digits.images(folder, "train"))
        processor = DataProcessor()
        scaled = processor.process_data(pixels.reshape(-1, 1, 28, 28) / 255.0)
        data = processor.to_dataset(scaled)
        config = VAEConfig(
            input_dim=(1, 28, 28), latent_dim=20, reconstruction_loss="bce"
        )
        self.trainer = BaseTrainer(
            model=VAE(config, encoder=Encoder(), decoder=Decoder()),
            train_dataset=data,
            training_config=BaseTrainerConfig(
                output_dir=self.kept.name,
                learning_rate=1e-3,
                per_device_train_batch_size=128,
                optimizer_cls="Adam",
                no_cuda=True,
                seed=seed,
            ),
        )
        self.trainer.prepare_training()
        self.epochs = 0

    def epoch(self) -> int:
        """Train for an epoch."""
        self.epochs += 1
        self.trainer.train_step(self.epochs)
        return len(self.trainer.train_loader.dataset)

    def weights(self) -> elbo.Weights:
        """Hand the network over."""
        found = elbo.of_linear(*layers(self.trainer.model))
        return elbo.Weights(*found, "log_variance")
