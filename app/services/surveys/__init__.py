"""Surveys: what each channel of a network responds to, measured once and cached."""
