"""What an operator may choose for one run: declared once, for run configuration, run tags, and the command line.

Belongs here: the choices, their form in Dagster, and what they become for `Migration.run`. Does not belong here: settings
that hold for every run (remoteiq_etl.config.settings).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import dagster as dg

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle.interventions import Interventions
from remoteiq_etl.spec.run_options import ROLE_GRANTS

#: The pool of every step that writes a source: its limit lets one run at a time have such steps, however it was launched.
POOL = "remoteiq_source"
#: The resource that a run's choices are configured at.
KEY = "migration"
#: Tags reach every kind of launch: the Launchpad, a job, a schedule, and a backfill of assets, which takes no configuration.
MODE_TAG = "remoteiq/mode"
SOURCE_TAG = "remoteiq/source"
#: Which program of ours started the run; the UI, schedules and sensors leave it out.
STARTED_BY_TAG = "remoteiq/started_by"

_MODES: Mapping[Mode, str] = {
    Mode.INCREMENTAL: "What changed since the last run, where that can be told; the first run reads everything.",
    Mode.SWEEP: "What changed, and what a comparison of every row by key and hash finds besides: that must be nothing.",
    Mode.FULL: "Everything, also what has not changed since the last run. It is compared, not written again.",
}

CONFIG = {
    "mode": dg.Field(
        dg.Enum("Mode", [dg.EnumValue(str(mode), description=text) for mode, text in _MODES.items()]),
        is_required=False,
        default_value=str(Mode.INCREMENTAL),
        description=f"What is read of the legacy database. The run tag {MODE_TAG} wins over this.",
    ),
    "options": dg.Field(
        dict,
        is_required=False,
        default_value={},
        description="Choices that the rules leave to the operator, by name, as role_grants: role_meta_first.",
    ),
    "accept_drift": dg.Field(
        [str],
        is_required=False,
        default_value=[],
        description="Differences of the legacy database that the run may go on in spite of, as users.shoe_size."
        " Later runs need not be told again.",
    ),
    "conflicts": dg.Field(
        dict,
        is_required=False,
        default_value={},
        description="Who wins where a row was edited in the target and changed in legacy, by table or as default:"
        " keep_target, take_legacy or fail. Goes before the configuration file.",
    ),
    "recreate": dg.Field(
        dict,
        is_required=False,
        default_value={},
        description="Rows that were deleted in the target and are to be made again: by table a list of legacy or new keys;"
        " an empty list stands for all.",
    ),
    "redecide": dg.Field(
        [str],
        is_required=False,
        default_value=[],
        description="Tables whose recorded decisions about names are taken anew.",
    ),
}


@dataclass(frozen=True)
class RunOptions:
    """The choices of one run. Their names are those of the run configuration and of the arguments of `Migration.run`."""

    mode: Mode = Mode.INCREMENTAL
    options: Mapping[str, Any] = field(default_factory=dict)
    accept_drift: tuple[str, ...] = ()
    interventions: Interventions = field(default_factory=Interventions)

    @classmethod
    def read(cls, config: Mapping[str, Any], tags: Mapping[str, str]) -> "RunOptions":
        """The choices of a run's configuration and tags. Raises ConfigurationError when a tag names none that there is."""
        return cls(
            mode=_mode(tags, config.get("mode", Mode.INCREMENTAL)),
            options=dict(config.get("options", {})),
            accept_drift=tuple(config.get("accept_drift", ())),
            interventions=Interventions.of_config(config),
        )

    @classmethod
    def asked(
        cls,
        *,
        full: bool = False,
        sweep: bool = False,
        accept_drift: Iterable[str] = (),
        interventions: Interventions | None = None,
        role_grants: str | None = None,
    ) -> "RunOptions":
        """The choices of who types a command. A full pass reads what a sweep would find."""
        mode = Mode.FULL if full else Mode.SWEEP if sweep else Mode.INCREMENTAL
        options = {} if role_grants is None else {ROLE_GRANTS: role_grants}
        return cls(mode, options, tuple(accept_drift), interventions or Interventions())

    @property
    def arguments(self) -> dict[str, Any]:
        """The choices as arguments of `Migration.run`."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @property
    def run_config(self) -> dict[str, Any]:
        """The run configuration that makes these choices."""
        chosen = {"mode": str(self.mode), "options": dict(self.options), "accept_drift": list(self.accept_drift)}
        return {"resources": {KEY: {"config": {**chosen, **self.interventions.config()}}}}


def _mode(tags: Mapping[str, str], configured: str) -> Mode:
    word = tags.get(MODE_TAG, configured).strip().lower()
    if word not in set(Mode):
        raise ConfigurationError(
            f"the run tag {MODE_TAG} is {word!r}; expected {' or '.join(Mode)}. Start the run again with one of them, or"
            " without the tag."
        )
    return Mode(word)
