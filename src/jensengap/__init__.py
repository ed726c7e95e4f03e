"""Variational autoencoders and GANs: the package of the textbook The Jensen Gap.

Nothing is re-exported: say ``from jensengap import bounds`` and then
``bounds.iwae(log_w)``, so that the reader sees where a thing lives.

The subject: ``bounds``, ``divergences``, ``quadrature``, ``gradients``, ``exact``;
``nets``, ``vae``, ``gan``, ``diffusion``, ``flows``, ``vq``, ``ais``; ``train``,
``recipes``, ``metrics``, ``probes``. Data are in ``data``, what cells check and draw in
``check`` and ``plot``. All values are in nats, the sample axis comes first.
"""
