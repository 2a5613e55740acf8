"""Belongs here: bringing a target to what the new application needs beyond the redesign, looking at that, taking it away.

Not here: what it needs (`schemas.application`); rows that runs write.
"""
