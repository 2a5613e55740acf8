"""Equivalent mutants: changes that change no rule, each with the reason why no test can or should notice it."""

from collections.abc import Mapping

EQUIVALENT: Mapping[str, Mapping[str, str]] = {}
"""Module → change → reason."""
