"""Belongs here: what is recorded of every row besides its target row: quarantine, held and left out, archive, before
images, ledger, movements, the conservation law.

Not here: deciding an outcome.
"""
