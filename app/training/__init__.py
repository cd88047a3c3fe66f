"""Trains and examines networks: the embedded one is made here, any one is evaluated here."""
