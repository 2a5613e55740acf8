"""Migrations that are cut over."""

from tests.lifecycle.cutover.conftest import either, made, one, two

__all__ = ["either", "made", "one", "two"]
