"""Belongs here: carrying back to the legacy tables what the new application has written since a cut-over.

Not here: the mapping read backwards itself (remoteiq_etl.inverse), the switch and the fence (remoteiq_etl.lifecycle.cutover).
"""
