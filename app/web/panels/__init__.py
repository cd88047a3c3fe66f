"""The panels of a selected unit, a file or a small package each, and their registry."""
