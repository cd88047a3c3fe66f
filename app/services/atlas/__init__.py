"""Activation atlases: which crops of many pictures activate each channel most."""
