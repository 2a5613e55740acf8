"""Belongs here: what the steps hand to each other: the plan, the open sessions, the prepared batch, the report,
progress events, live columns.

Not here: a step; a write.
"""
