"""Synthesised pictures (activation maximisation): shipped, cached on disk, or computed now."""
