"""Belongs here: what a person is told of a run, and the channels it leaves by.

Not here: settings of the channels (config/alerts).
"""
