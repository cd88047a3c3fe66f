"""How a network is fooled: one method a file, each a generator that yields every step."""
