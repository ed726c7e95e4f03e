"""Variational autoencoders and GANs: the package of the textbook The Jensen Gap.

Nothing is re-exported: say ``from jensengap import bounds`` and then
``bounds.iwae(log_w)``, so that the reader sees where a thing lives.

The subject stands at the root: ``bounds``, ``divergences``, ``vae``, ``gan``, others.
Folders hold the ``data``, the ``exercises``, ``fast`` twins, ``experiments`` that are
too long for a chapter, and what a page is made of, ``markup`` and ``live``;
CONTRIBUTING.md has the map. All values are in nats, the sample axis comes first.
"""
