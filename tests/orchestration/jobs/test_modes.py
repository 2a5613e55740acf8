"""Full or incremental: by run configuration, by tag, by job, from the command line."""

from collections.abc import Iterator

import dagster as dg
import pytest

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle.interventions import Interventions
from remoteiq_etl.orchestration.jobs.execute import JobOutcome
from remoteiq_etl.orchestration.runtime.run_options import MODE_TAG, RunOptions
from tests.orchestration.conftest import configure, run_some
from tests.support.server import Database

FULL, INCREMENTAL = {MODE_TAG: "full"}, {MODE_TAG: "incremental"}


def test_the_tag_wins_over_the_configuration() -> None:
    assert RunOptions.read({"mode": "full"}, {}).mode is Mode.FULL
    assert RunOptions.read({"mode": "full"}, INCREMENTAL).mode is Mode.INCREMENTAL
    assert RunOptions.read({"mode": "incremental"}, {MODE_TAG: " FULL "}).mode is Mode.FULL
    assert RunOptions.read({}, {}) == RunOptions()


ASKED = Interventions({"users": "fail"}, {"sites": ["a-key"]}, ("clients",))


def test_choices_come_back_from_their_configuration() -> None:
    chosen = RunOptions(Mode.FULL, {"role_grants": "role_meta_first"}, ("users.shoe_size",), ASKED)
    assert RunOptions.read(chosen.run_config["resources"]["migration"]["config"], {}) == chosen


def test_an_unknown_mode_names_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"remoteiq/mode is 'fast'; expected incremental or full or sweep"):
        RunOptions.read({}, {MODE_TAG: "fast"})


@pytest.fixture(scope="module")
def loaded(
    edge_databases: tuple[Database, Database], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dg.DagsterInstance]:
    """An instance whose source was loaded by `resync` before."""
    legacy, target = edge_databases
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        configure(patch, legacy.url, target.url, tmp_path_factory.mktemp("modes"))
        first = run_some(instance)
        assert readings(first) == {"full: first pass"}
        run_some(instance)  # what recalls a map that was loaded after it settles in the second
        yield instance


def readings(outcome: JobOutcome) -> set[str]:
    assert outcome.errors == {}
    return {report.reading for report in outcome.reports.values() if report.reading}


def test_resync_reads_nothing_where_nothing_changed(loaded: dg.DagsterInstance) -> None:
    assert readings(run_some(loaded)) == {"nothing changed"}


def test_a_materialization_says_which_run_and_which_sweep_looked_last(loaded: dg.DagsterInstance) -> None:
    outcome = run_some(loaded, tags={MODE_TAG: "sweep"}, tables=["permissions"])
    event = loaded.get_latest_materialization_event(dg.AssetKey("permissions"))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    waiting = outcome.reports["permissions"].waiting
    assert metadata["last run"].value == waiting.run
    assert waiting.swept is not None
    assert metadata["last sweep"].value == waiting.swept.timestamp()


@pytest.mark.parametrize(
    "started",
    [
        {"tags": FULL},
        {"run_config": RunOptions(mode=Mode.FULL).run_config},
        {"job": "backfill"},
        {"tags": FULL, "tables": ["permissions"]},
    ],
    ids=["tag", "configuration", "job", "tag of some tables"],
)
def test_every_way_to_ask_for_everything_reads_everything(
    loaded: dg.DagsterInstance, started: dict[str, object]
) -> None:
    assert readings(run_some(loaded, **started)) == {"full: asked for"}


def test_a_backfill_told_otherwise_reads_what_changed(loaded: dg.DagsterInstance) -> None:
    assert readings(run_some(loaded, "backfill", tags=INCREMENTAL)) == {"nothing changed"}


def test_an_unknown_tag_is_one_readable_failure(loaded: dg.DagsterInstance) -> None:
    outcome = run_some(loaded, tags={MODE_TAG: "fast"})
    assert set(outcome.errors) == {"target_schema"}
    assert "expected incremental or full or sweep" in outcome.errors["target_schema"]


def test_an_unknown_mode_in_the_configuration_is_refused_before_the_run(loaded: dg.DagsterInstance) -> None:
    with pytest.raises(ConfigurationError, match="does not fit it"):
        run_some(loaded, run_config={"resources": {"migration": {"config": {"mode": "fast"}}}})


def test_a_domain_is_read_as_a_whole_by_its_job(loaded: dg.DagsterInstance) -> None:
    assert readings(run_some(loaded, "backfill_platform")) == {"full: asked for"}
