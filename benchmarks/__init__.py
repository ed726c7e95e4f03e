"""The same VAE, trained by this package and by what a user would pick instead."""
