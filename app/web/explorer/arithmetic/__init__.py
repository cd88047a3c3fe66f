"""The panes “Arithmetic” and “Where from”: how one cell was computed, and from which cells."""
