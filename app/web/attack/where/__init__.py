"""Panel “Where it happens”: how an attack spreads through the layers of the network."""
