"""Cover and cut: a part of the picture covered by hand or by a patch, channels switched off."""
