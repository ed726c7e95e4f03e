"""Who is compared: one file each, and each as its own users run it.

A peer is a module with a class ``Training``. Made from the folder of the digits and a
seed, it has an ``epoch()`` that returns how many images it has seen, ``weights()`` that
returns `elbo.Weights`, and ``DISTRIBUTIONS`` beside it names what is installed for it.
The network is the same for all: 784-400-20 with ReLU, Bernoulli, grey intensities as
targets, Adam at 1e-3, batches of 128.
"""
