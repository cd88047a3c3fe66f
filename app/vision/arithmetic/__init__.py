"""The arithmetic of one cell, kind by kind: what went in, what came out, and that it re-adds."""
