"""The pictures that people bring."""
