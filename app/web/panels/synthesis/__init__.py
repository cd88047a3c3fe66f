"""Feature visualisation: the synthesis panel, its growing picture, the wall of a step."""
