"""What tests of the verbs share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def alone(one_thread: None) -> None:
    """Many of these train on tiny batches."""
