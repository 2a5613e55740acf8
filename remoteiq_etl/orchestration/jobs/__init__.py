"""Belongs here: jobs, schedules, sensors, running a job in this process.

Not here: what an asset does.
"""
