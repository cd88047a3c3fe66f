"""Helpers that several pages, panels and the API share."""
