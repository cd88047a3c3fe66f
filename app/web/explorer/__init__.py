"""The explorer page: the picture, the river of feature maps, and the evidence for a unit."""
