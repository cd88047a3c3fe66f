"""Layerscope: what happens inside a convolutional network, shown while it happens."""

__version__ = "0.1.0"
