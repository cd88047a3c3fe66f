"""Trains the embedded network, and evaluates and calibrates any network."""
