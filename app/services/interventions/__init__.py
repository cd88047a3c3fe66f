"""Interventions: covering a part of the picture (occlusion), switching channels off (ablation)."""
