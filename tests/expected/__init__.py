"""The target rows that the edge-case data set must become, worked out by hand from the mapping.

One YAML file per target table, plus `outcomes.yaml` (the conservation law per legacy table) and `archive.yaml` (values
without a home in the target). `tests.support.expected` reads them. Nothing here may be recorded from the program:
these rows are the check on it.
"""
