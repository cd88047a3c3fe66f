"""Where the app of a test is."""

from __future__ import annotations

BASE = "http://localhost:8000"
HERE = ("127.0.0.1", 50_000)
"""A client at the very machine that serves."""
ELSEWHERE = ("192.168.1.20", 50_000)
