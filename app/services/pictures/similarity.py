"""How similar are two pictures (structural similarity, SSIM)?"""

from __future__ import annotations

from torch import Tensor


def ssim(one: Tensor, other: Tensor) -> float:
    """Structural similarity of two uint8 pictures [3,S,S], -1..1; 1 is the same picture.

    Mean over the three colours, 7 x 7 windows (Wang et al. 2004, IEEE TIP 13(4)).
    """
    # Imported here: it imports scipy, which slows the start down.
    from skimage.metrics import structural_similarity

    a, b = one.cpu().numpy(), other.cpu().numpy()
    return float(structural_similarity(a, b, channel_axis=0, data_range=255))
