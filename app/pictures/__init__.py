"""Bytes to tensors and tensors to pictures; imports no network and no HTTP code."""
