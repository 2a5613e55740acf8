"""Names for what is decided in this domain: the (entity, legacy table) of the map that records it.

Belongs here: the names under which no legacy table lies, each with what its keys are, and reading what is recorded there.
Does not belong here: how it is decided (see checks and check_assignments).
"""

import pandas as pd

from remoteiq_etl.spec.transform_context import Context

#: The check that each natural key of type and name means (see check_names).
CHECK_OF_KEY = ("checks", "assignment")
#: The check synthesized for each natural key that no defined check has.
SYNTHESIZED_CHECKS = ("checks", "derived")
#: The assignment that stands in for the runs of each device (new id) that have none.
STAND_IN_OF_DEVICE = ("check_assignments", "device")


def defined_checks(keys: pd.Series, context: Context) -> pd.Series:
    """The checks.id that each natural key means; null where it means a synthesized check."""
    return context.lookup(*CHECK_OF_KEY).decided(keys, "check")


def stand_ins(devices: pd.Series, context: Context) -> pd.Series:
    """The check_assignments.id that stands in on each device; null where one of the check Unattributed does."""
    return context.lookup(*STAND_IN_OF_DEVICE).decided(devices, "assignment")
