-- name: write_completed
INSERT INTO {assets} (source_id, table_name, run_id, full_run, changed_run, database, fingerprint, digests)
VALUES (%(source_id)s, %(asset)s, %(run_id)s, %(full_run)s, %(changed_run)s, %(database)s, %(fingerprint)s, %(digests)s)
ON CONFLICT (source_id, table_name) DO UPDATE SET
    run_id = EXCLUDED.run_id, full_run = EXCLUDED.full_run, changed_run = EXCLUDED.changed_run, database = EXCLUDED.database,
    fingerprint = EXCLUDED.fingerprint, digests = EXCLUDED.digests


-- name: complete
-- Nothing where a later run has taken over: the lock is on the row of the source, as long as the transaction lasts.
WITH held AS MATERIALIZED (
    SELECT id FROM {sources} WHERE id = %(source_id)s AND fence = %(fence)s FOR SHARE
),

completed AS (
    INSERT INTO {assets} (source_id, table_name, run_id, full_run, changed_run, database, fingerprint, digests)
    SELECT id, %(asset)s, %(run_id)s, %(full_run)s, %(changed_run)s, %(database)s, %(fingerprint)s, %(digests)s FROM held
    ON CONFLICT (source_id, table_name) DO UPDATE SET
        run_id = EXCLUDED.run_id, full_run = EXCLUDED.full_run, changed_run = EXCLUDED.changed_run, database = EXCLUDED.database,
        fingerprint = EXCLUDED.fingerprint, digests = EXCLUDED.digests
),

passed AS (
    INSERT INTO {passes} (source_id, table_name, legacy_table, run_id, horizon, legacy_rows, shape, passed_at)
    SELECT h.id, %(asset)s, s.legacy_table, %(this_run)s, %(horizon)s, s.rows, nullif(s.shape, 'null'), %(passed_at)s
    FROM held AS h
    CROSS JOIN jsonb_to_recordset(%(seen)s) AS s (legacy_table text, rows bigint, shape jsonb)
    ON CONFLICT (source_id, table_name, legacy_table) DO UPDATE SET
        run_id = EXCLUDED.run_id, horizon = EXCLUDED.horizon, legacy_rows = EXCLUDED.legacy_rows, shape = EXCLUDED.shape,
        passed_at = EXCLUDED.passed_at
),

closed AS (
    UPDATE {resets} AS r SET run_id = %(this_run)s
    FROM held AS h
    WHERE r.source_id = h.id AND r.table_name = %(asset)s AND r.run_id IS NULL
)

SELECT count(*) FROM held
