"""The Lab's tiny network: X or O on nine by nine cells, small enough to read every number.

The example is Brandon Rohrer's, "How convolutional neural networks work" (2016).
"""
