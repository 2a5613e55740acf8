"""Belongs here: what may not leave its table in clear: key reading, deterministic encryption, redaction.

Not here: which values are archived or imaged.
"""
