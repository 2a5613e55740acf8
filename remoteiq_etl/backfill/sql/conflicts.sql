-- The conflict list. A decision stands as long as both sides are what the operator saw.
INSERT INTO {conflicts} AS known (
    source_id, table_name, new_key, legacy_table, legacy_key, columns, last_written, current, incoming, incoming_hash, current_hash,
    reason, first_run, last_run
)
SELECT
    {source_id}, {table_name}, c.new_key, {legacy_table}, c.legacy_key, c.columns, c.last_written, c.current, c.incoming, c.incoming_hash,
    c.current_hash, c.reason, {run_id}, {run_id}
FROM ({rows}) AS c
ON CONFLICT (source_id, table_name, legacy_table, legacy_key, new_key, reason) WHERE resolved_run IS NULL DO UPDATE SET
    columns = EXCLUDED.columns, last_written = EXCLUDED.last_written, current = EXCLUDED.current, incoming = EXCLUDED.incoming,
    incoming_hash = EXCLUDED.incoming_hash, current_hash = EXCLUDED.current_hash, last_run = EXCLUDED.last_run,
    decision = CASE
        WHEN (known.incoming_hash, known.current_hash) IS NOT DISTINCT FROM (EXCLUDED.incoming_hash, EXCLUDED.current_hash)
        THEN known.decision
    END
