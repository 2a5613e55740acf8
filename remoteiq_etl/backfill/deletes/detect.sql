-- name: archive
-- The archive keeps the values of a row that is gone, marked.
UPDATE {legacy_archive} AS a
SET gone_run = CASE WHEN g.returned_run IS NULL THEN {run_id} END
FROM {gone} AS g
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.legacy_table = {legacy_table}
    AND (g.last_run = {run_id} AND g.returned_run IS NULL OR g.returned_run = {run_id})
    AND a.source_id = g.source_id AND a.legacy_table = g.legacy_table AND a.legacy_key = g.legacy_key
    AND (a.gone_run IS NULL) = (g.returned_run IS NULL)


-- name: figures
-- How many keys of one legacy table lead to a row, and how many of them are gone.
SELECT
    (SELECT count(*) FROM {map} AS m
        WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state IN ('live', 'merged')),
    (SELECT count(*) FROM gone_found AS f
        WHERE f.table_name = {table_name} AND f.legacy_table = {legacy_table} AND f.state <> 'deleted' AND NOT f.silent)


-- name: found
-- Map rows of one legacy table whose key a complete read does not hold. A derived key that another key's row stands for
-- has no row of its own: it keeps nothing alive, and is no news (silent).
INSERT INTO gone_found (table_name, legacy_table, legacy_key, new_key, unit, state, silent)
SELECT {table_name}, m.legacy_table, m.legacy_key::text, m.new_key::text, m.{key}::text, m.state, {derived} AND m.state = 'merged'
FROM {map} AS m
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state IN ('live', 'merged', 'deleted')
    AND m.new_key IS NOT NULL AND m.{key} IS NOT NULL
    AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key = m.{key})


-- name: left_out
-- Rows that became none of their own and are gone; the archive keeps their values, marked.
WITH lost AS (
    DELETE FROM {left_out} AS o
    WHERE o.source_id = {source_id} AND o.table_name = {table_name} AND o.legacy_table = {legacy_table}
        AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key::text = o.legacy_key)
    RETURNING o.legacy_key
)
UPDATE {legacy_archive} AS a
SET gone_run = CASE WHEN EXISTS (SELECT FROM lost AS l WHERE l.legacy_key = a.legacy_key) THEN {run_id} END
WHERE a.source_id = {source_id} AND a.legacy_table = {legacy_table} AND (
    a.gone_run IS NULL AND a.legacy_key IN (SELECT legacy_key FROM lost)
    OR a.gone_run IS NOT NULL AND EXISTS (
        SELECT FROM {stage} AS s
        JOIN {left_out} AS o ON o.source_id = {source_id} AND o.table_name = {table_name}
            AND o.legacy_table = {legacy_table} AND o.legacy_key = s._key::text
        WHERE s._key::text = a.legacy_key
    )
)


-- name: lives_on
-- A row that several legacy rows became lives while one of them is there. Live keys are found by their index.
UPDATE {gone} AS g
SET outcome = 'lives on'
FROM {map} AS m
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.legacy_table = {legacy_table}
    AND g.last_run = {run_id} AND g.outcome = 'listed'
    AND m.source_id = g.source_id AND m.legacy_table = g.legacy_table AND m.legacy_key = g.legacy_key::{key_type}
    AND (EXISTS (
        SELECT FROM {map} AS o
        WHERE o.source_id = m.source_id AND o.new_key = m.new_key AND o.state = 'live'
            AND (o.legacy_table, o.legacy_key) <> (m.legacy_table, m.legacy_key)
            AND NOT EXISTS (
                SELECT FROM gone_found AS f
                WHERE f.table_name = {table_name} AND f.legacy_table = o.legacy_table AND f.legacy_key = o.legacy_key::text
            )
    ) OR EXISTS (
        SELECT FROM {map} AS o
        WHERE o.source_id = m.source_id AND o.new_key = m.new_key AND o.state = 'merged'
            AND (o.legacy_table, o.legacy_key) <> (m.legacy_table, m.legacy_key)
            AND NOT EXISTS (
                SELECT FROM gone_found AS f
                WHERE f.table_name = {table_name} AND f.legacy_table = o.legacy_table AND f.legacy_key = o.legacy_key::text
            )
    ))


-- name: recorded
INSERT INTO {gone} AS known (source_id, table_name, legacy_table, legacy_key, new_key, unit, outcome, first_run, last_run)
SELECT
    {source_id}, f.table_name, f.legacy_table, f.legacy_key, f.new_key, f.unit,
    CASE f.state WHEN 'deleted' THEN 'was deleted in target' ELSE 'listed' END, {run_id}, {run_id}
FROM gone_found AS f
WHERE f.table_name = {table_name} AND f.legacy_table = {legacy_table} AND NOT f.silent
ON CONFLICT (source_id, table_name, legacy_table, legacy_key) DO UPDATE SET
    last_run = EXCLUDED.last_run,
    new_key = EXCLUDED.new_key,
    unit = EXCLUDED.unit,
    outcome = CASE WHEN known.returned_run IS NULL AND known.outcome = 'withdrawn' THEN known.outcome ELSE EXCLUDED.outcome END,
    reason = NULL,
    holder = NULL,
    first_run = CASE WHEN known.returned_run IS NULL THEN known.first_run ELSE EXCLUDED.first_run END,
    found_at = CASE WHEN known.returned_run IS NULL THEN known.found_at ELSE EXCLUDED.found_at END,
    returned_run = NULL


-- name: returned
-- What was gone and is there again: found by a complete read, and mapped to a row that is there.
UPDATE {gone} AS g
SET returned_run = {run_id}
FROM {map} AS m
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.legacy_table = {legacy_table}
    AND g.returned_run IS NULL AND g.last_run < {run_id}
    AND m.source_id = g.source_id AND m.legacy_table = g.legacy_table AND m.legacy_key = g.legacy_key::{key_type}
    AND m.state <> 'gone'


-- name: waiting
-- A row that waited and is gone waits no longer.
UPDATE {waiting} AS w
SET released_run = {run_id}
WHERE w.source_id = {source_id} AND w.legacy_table = {legacy_table} AND w.table_name = {table_name} AND w.released_run IS NULL
    AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key::text = w.legacy_key)
