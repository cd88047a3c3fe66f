"""The networks as code, and the table of their weights; nothing else."""
