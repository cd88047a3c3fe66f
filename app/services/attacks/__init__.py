"""Attacks: run, kept, and everything that is asked about their result."""
