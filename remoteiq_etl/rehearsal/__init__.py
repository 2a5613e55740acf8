"""Belongs here: the whole cycle of a migration on a scratch target, as a dress rehearsal of the cut-over, and its certificate.

Not here: any step itself; whether a rehearsal is good enough (remoteiq_etl.gate).
"""
