"""X or O: letters on nine by nine cells, and a network small enough to be read whole.

The example is Brandon Rohrer's, "How convolutional neural networks work" (2016).
"""
