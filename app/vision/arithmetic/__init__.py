"""The arithmetic of one cell for each kind of step: its inputs, its terms, and their sum."""
