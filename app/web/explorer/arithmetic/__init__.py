"""The panes “Arithmetic” and “Where from”: the arithmetic of one cell, and the chain of cells that made it."""
