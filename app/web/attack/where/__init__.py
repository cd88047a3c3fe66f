"""Where it happens: how an attack spreads through the network."""
