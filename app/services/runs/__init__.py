"""Runs: one picture's way through one network, and what is read from it."""
