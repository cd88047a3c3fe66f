"""Interventions: the picture covered by hand or by a patch (occlusion), ablation of channels."""
