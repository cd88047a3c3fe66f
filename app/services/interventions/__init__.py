"""Interventions: a part of the picture covered, channels switched off."""
