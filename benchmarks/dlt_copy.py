"""dlt copies the raw table: sql_database to postgres, pyarrow backend, merge with strategy upsert.

Runs in a virtual environment of its own and imports nothing of the project. Prints one JSON object.
"""

import json
import os
import sys
import tempfile
import time

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")

import dlt
from dlt.destinations import postgres
from dlt.sources.sql_database import sql_table


def main(url: str, schema: str, table: str) -> None:
    """Copy one table into the schema bench_copy."""
    with tempfile.TemporaryDirectory() as directory:
        # dlt asks for host and password; for libpq the socket's directory in the query counts.
        credentials = url.replace("@/", ":unused@localhost:5432/")
        pipeline = dlt.pipeline(
            "bench", destination=postgres(credentials), dataset_name="bench_copy", pipelines_dir=directory
        )
        source = sql_table(
            url.replace("postgresql://", "postgresql+psycopg2://"),
            table=table,
            schema=schema,
            backend="pyarrow",
            chunk_size=50_000,
        )
        started = time.perf_counter()
        pipeline.run(source, write_disposition={"disposition": "merge", "strategy": "upsert"}, primary_key="id")
        seconds = time.perf_counter() - started
        rows = pipeline.last_trace.last_normalize_info.row_counts[table]
    json.dump({"seconds": seconds, "rows": rows}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
