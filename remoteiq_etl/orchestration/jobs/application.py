"""The job `application_install`: what the new application needs of the target beyond the redesign.

Belongs here: configuration and metadata. Does not belong here: what it needs, and making it (remoteiq_etl.lifecycle.application).
"""

from collections.abc import Callable

import dagster as dg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.application.access import opened
from remoteiq_etl.postgres.errors.failures import describe

APPLICATION_INSTALL = "application_install"


def application_job(settings: Callable[[], Settings]) -> dg.JobDefinition:
    """The job, for the configured target and profile."""

    @dg.op(name="make_application_parts", out=dg.Out(dg.Nothing))
    def op(context: dg.OpExecutionContext) -> None:
        try:
            with opened(settings()) as place:
                made = place.install()
        except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
            raise dg.Failure(describe(error), allow_retries=False) from None
        context.add_output_metadata({"parts made": dg.MetadataValue.json(made)})

    @dg.job(
        name=APPLICATION_INSTALL,
        description="Makes what the new application needs of the target beyond the redesign: columns, labels, casts, tables."
        " What is there already in a form that it can use stays. It may be repeated.",
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        op()

    return job
