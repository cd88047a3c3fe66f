"""Where the app of a test is."""

from __future__ import annotations

BASE = "http://localhost:8000"
