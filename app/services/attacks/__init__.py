"""Adversarial attacks: running and caching them, and everything computed from their results."""
