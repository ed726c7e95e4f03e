"""What tests of the live figures share: a small VAE with a latent plane."""

import pytest


@pytest.fixture
def model():
    """Build a VAE of two latent dimensions and sixteen pixels, freshly drawn."""
    import torch  # not above: shapes are checked in what is imported after the start

    from jensengap import recipes

    torch.manual_seed(0)
    return recipes.digit_vae(2, 8, 16)
