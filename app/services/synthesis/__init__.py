"""Synthesised pictures as people ask for them: shipped, kept on the disk, or grown now."""
