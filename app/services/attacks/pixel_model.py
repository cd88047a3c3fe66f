"""A network as attacks use it: pixels in, logits out, in a fast memory layout."""

from __future__ import annotations

from app.services.networks.catalogue import Model
from app.vision.attacks.pixel_model import PixelModel
from app.vision.memory_layout import channels_last
from models.graph import Network


def pixel_model_of(model: Model, network: Network) -> PixelModel:
    """A model from pixels 0..255 to logits; the network's own kernels are not changed."""
    laid_out = channels_last(network, network.logits)
    return PixelModel(laid_out, model.row.mean, model.row.std)
