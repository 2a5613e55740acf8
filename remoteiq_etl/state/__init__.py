"""Belongs here: our own schema in the target: creating and upgrading it, identity maps and their views, sources and
runs, locks and fence, orders, what was last written.

Not here: deciding about rows; the writes of one batch.
"""
