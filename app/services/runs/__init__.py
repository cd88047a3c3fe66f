"""Runs: forward passes of one picture through one network, and what is computed from them."""
