"""What a unit responds to most: its panel, the picture as it grows, the wall of a step."""
