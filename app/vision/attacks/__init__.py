"""Adversarial attacks: one method a file, each a generator that yields every step."""
