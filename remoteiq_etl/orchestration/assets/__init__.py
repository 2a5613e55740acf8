"""Belongs here: one file per kind of asset or asset check, and the discovery of SPECs.

Not here: jobs, runtime.
"""
