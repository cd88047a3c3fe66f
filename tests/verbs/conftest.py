"""The data set of two classes serves here too."""

from tests.training.conftest import one_thread, stripes

__all__ = ["one_thread", "stripes"]
