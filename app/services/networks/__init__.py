"""The networks: finding, downloading, verifying and loading their weights files."""
