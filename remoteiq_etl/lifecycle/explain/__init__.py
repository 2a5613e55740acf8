"""Belongs here: all that is known of one row, as plain data.

Not here: how it looks.
"""

from remoteiq_etl.lifecycle.explain.find import Explainer
from remoteiq_etl.lifecycle.explain.model import Explanation

__all__ = ["Explainer", "Explanation"]
