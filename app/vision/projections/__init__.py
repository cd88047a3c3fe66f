"""Saliency maps: which pixels of a picture does a unit depend on? One method a file.

All take a network in `eval` mode, a normalised picture [3,S,S] and a `Unit`, and return float32 on
the network's device. None leaves a hook or a gradient behind: the ReLU's rule is passed to the
forward pass, and gradients are taken with respect to the picture only. They raise `KeyError` for an
unknown step and `IndexError` for an unknown channel or cell.
"""
