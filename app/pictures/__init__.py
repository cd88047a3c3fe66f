"""Bytes to tensors and tensors to pictures: a leaf that knows no network and no HTTP."""
