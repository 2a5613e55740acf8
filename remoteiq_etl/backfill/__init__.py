"""The engine: declarations, snapshot, extract, contracts, identity, staging, merge and ledger.

No Dagster, and no name of any table of either schema.
"""
