"""Belongs here: slowing down for others: probes of both servers, the verdict on their readings, the pacer.

Not here: the limits (config/throttle), giving orders (state/orders).
"""
