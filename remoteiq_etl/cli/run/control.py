"""`pause`, `resume` and `stop`: orders to the runs and verifications of the source, wherever they run."""

from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.operations.control import control


def pause(reason: str | None) -> Exit:
    """Pause the source, and say what that means for what is in work."""
    settings = Settings.load()
    with control(settings) as orders:
        orders.pause(reason)
        running, verifying = orders.is_held(), orders.is_verified()
    said = [f"The source {settings.source!r} is paused."]
    said += ["The run in work waits after its current batch."] * running
    said += ["The verification in work waits after its current rows."] * verifying
    said += ["No run begins until remoteiq-etl resume, also after a restart."]
    said += ["Its snapshot has a maximum age; when that is reached the run ends, and the next one goes on."] * running
    _say(" ".join(said))
    return Exit.DONE


def resume(reason: str | None) -> Exit:
    """Take the pause back."""
    settings = Settings.load()
    with control(settings) as orders:
        resumed = orders.resume(reason)
    _say(f"The source {settings.source!r} {'goes on' if resumed else 'was not paused'}.")
    return Exit.DONE


def stop(reason: str | None) -> Exit:
    """End the run and the verification in work; the next ones may start at once."""
    settings = Settings.load()
    with control(settings) as orders:
        running, verifying = orders.is_held(), orders.is_verified()
        orders.stop(reason)
    if running:
        _say("The run ends after its current batch. What it committed is kept; the next run goes on from there.")
    if verifying:
        _say(
            "The verification ends after its current rows. Verdicts of tables that were done are kept; the next"
            " remoteiq-etl verify goes on from there."
        )
    if not running and not verifying:
        _say(f"No run and no verification of the source {settings.source!r} is in work.")
    return Exit.DONE


def _say(text: str) -> None:
    output.results().print(text, markup=False)
