"""From a unit back to the pixels of one picture, one method a file.

All take a network in `eval` mode, a normalised picture [3,S,S] and a `Unit`, and give float32 on
the network's device. None leaves a hook or a gradient behind: the rule of a ReLU is handed through
the pass, and gradients are asked of the picture alone. They raise `KeyError` for an unknown step
and `IndexError` for a channel or cell that is not there.
"""
