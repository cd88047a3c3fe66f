"""The explorer: picture, river and evidence."""
