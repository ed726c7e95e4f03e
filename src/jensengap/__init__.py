"""The Jensen Gap: the shared package of an executable textbook on VAEs and GANs.

Nothing is re-exported: say ``from jensengap import bounds`` and then
``bounds.iwae(log_w)``, so that the reader sees where a thing lives.
"""
