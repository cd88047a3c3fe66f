"""Atlases: which crops of many pictures fire each channel most."""
