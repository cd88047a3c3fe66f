"""The networks: their weights' files, how they are fetched, checked and loaded."""
