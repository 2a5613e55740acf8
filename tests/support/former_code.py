"""Writes into `former_code.json` that today's rules make the rows that the former program's made: `python -m tests.support.former_code`.

Whoever runs it says so; the expected rows of the edge cases are the proof. A table whose rules make other rows than then
loses its entry instead, and is read as a whole by the first run.
"""

import json

from remoteiq_etl.backfill.change_capture.code_fingerprint import code_fingerprint
from remoteiq_etl.backfill.change_capture.fingerprint import FORMER_CODE, former_code
from tests.support.migrating import specs


def renewed() -> dict[str, dict[str, str]]:
    """The entries with today's code fingerprints."""
    return {
        asset: {"texts": entry["texts"], "rules": code_fingerprint(specs()[asset])}
        for asset, entry in sorted(former_code().items())
    }


if __name__ == "__main__":
    FORMER_CODE.write_text(json.dumps(renewed(), indent=2) + "\n", encoding="utf-8")
