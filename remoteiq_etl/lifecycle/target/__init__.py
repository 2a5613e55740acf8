"""Belongs here: before and after: making the target ready and complete, what is recorded of that, the updated_at
trigger.

Not here: judging differences.
"""
