"""The data set of two classes serves here too."""

from tests.training.conftest import alone, stripes

__all__ = ["alone", "stripes"]
