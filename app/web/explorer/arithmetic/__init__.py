"""The pane of the third zoom: the arithmetic of one cell, and the chain of cells that made it."""
