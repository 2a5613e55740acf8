"""pandas copies the raw table: read_sql in chunks, to_sql with many rows per INSERT ("multi") or as it is by default.

Runs in the virtual environment of the other programs and imports nothing of the project. Prints one JSON object.
"""

import json
import sys
import time

import pandas as pd
from sqlalchemy import create_engine, text
from sqlalchemy.dialects.postgresql import JSONB

READ_ROWS = 50_000
# Rows per INSERT: with ten columns 1,000 rows stay far below PostgreSQL's 65,535 parameters.
WAYS = {"multi": {"method": "multi", "chunksize": 1_000}, "default": {"chunksize": 10_000}}


def main(url: str, schema: str, table: str, way: str) -> None:
    """Copy one table into the schema bench_copy."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS bench_copy"))
    rows = 0
    started = time.perf_counter()
    with engine.connect().execution_options(stream_results=True) as reader:
        for chunk in pd.read_sql(f"SELECT * FROM {schema}.{table}", reader, chunksize=READ_ROWS):
            dtype = {"metrics": JSONB} if "metrics" in chunk else None
            chunk.to_sql(table, engine, schema="bench_copy", if_exists="append", index=False, dtype=dtype, **WAYS[way])
            rows += len(chunk)
    seconds = time.perf_counter() - started
    json.dump({"seconds": seconds, "rows": rows}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
