"""The networks as code, and the table of their weights; imports nothing of the app."""
