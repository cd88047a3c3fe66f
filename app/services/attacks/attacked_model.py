"""A network as attacks ask it: in pixels, laid out for many passes."""

from __future__ import annotations

from app.services.networks.catalogue import Model
from app.vision.attacks.pixel_model import PixelModel
from app.vision.memory_layout import channels_last
from models.graph import Network


def reader_of(model: Model, network: Network) -> PixelModel:
    """Logits from pixels 0..255, of a network that has logits; its own kernels stay as they are."""
    laid_out = channels_last(network, network.logits)
    return PixelModel(laid_out, model.row.mean, model.row.std)
