-- name: accounts
-- Legacy rows of the copy at hand that the map does not hold as they are, and what accounts for them instead. The last row
-- says how many of them the map does not lead anywhere.
WITH odd AS MATERIALIZED (
    SELECT
        {key} AS key,
        {listed} AS listed,
        l._hash AS hash,
        l._age <= {age} AS is_newer,
        coalesce(m.state IN ('live', 'merged', 'deleted', 'undone'), false) AS is_mapped,
        coalesce(m.last_run > {finished_run}, false) AS is_unfinished,
        m.new_key::text AS new_key
    FROM {copy} AS l
    LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = {map_key}
    WHERE m.source_hash IS DISTINCT FROM l._hash OR m.state = 'gone'
)

SELECT o.key, o.new_key, o.is_mapped OR x.is_left_out OR x.waits AS is_known, o.is_newer, o.is_unfinished, x.in_conflict, NULL::bigint AS unmapped
FROM odd AS o
CROSS JOIN LATERAL (
    SELECT
        EXISTS (
            SELECT
            FROM {left_out} AS w
            WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.legacy_table = {legacy_table}
                AND w.legacy_key = o.listed
        ) AS is_left_out,
        EXISTS (
            SELECT
            FROM {left_out} AS w
            WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.legacy_table = {legacy_table}
                AND w.legacy_key = o.listed AND w.source_hash = o.hash
        ) AS is_left_out_as_it_is,
        EXISTS (
            SELECT
            FROM {quarantine} AS w
            WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.legacy_table = {legacy_table}
                AND w.legacy_key = o.listed AND w.released_run IS NULL
        ) OR EXISTS (
            SELECT
            FROM {held} AS w
            WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.legacy_table = {legacy_table}
                AND w.legacy_key = o.listed AND w.released_run IS NULL
        ) AS waits,
        EXISTS (
            SELECT
            FROM {quarantine} AS w
            WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.legacy_table = {legacy_table}
                AND w.legacy_key = o.listed AND w.released_run IS NULL
                AND coalesce(w.source_hash, o.hash) = o.hash
        ) OR EXISTS (
            SELECT
            FROM {held} AS w
            WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.legacy_table = {legacy_table}
                AND w.legacy_key = o.listed AND w.released_run IS NULL
                AND coalesce(w.source_hash, o.hash) = o.hash
        ) AS waits_as_it_is,
        EXISTS (
            SELECT
            FROM {conflicts} AS w
            WHERE w.source_id = {source_id} AND w.table_name = {table_name} AND w.legacy_table = {legacy_table}
                AND w.legacy_key = o.listed AND w.resolved_run IS NULL
        ) AS in_conflict
) AS x
WHERE NOT x.waits_as_it_is AND NOT x.is_left_out_as_it_is
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, count(*) FROM odd WHERE NOT is_mapped


-- name: dangling
-- Keys of the map whose legacy row is not there, and what the last pass over gone rows said of it. One that stood for the row
-- and gave it to another key did so because it was gone, in the run that wrote the entry last.
SELECT
    m.legacy_key::text AS legacy_key,
    m.new_key::text AS new_key,
    g.outcome,
    m.last_run < {completed_run} OR (m.state = 'merged' AND m.written_hash IS NOT NULL) AS outlived,
    m.last_run > {finished_run} AS is_unfinished
FROM {map} AS m
LEFT JOIN {gone} AS g ON g.source_id = m.source_id AND g.table_name = {table_name} AND g.legacy_table = m.legacy_table
    AND g.legacy_key = m.legacy_key::text AND g.returned_run IS NULL
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state IN ('live', 'merged', 'deleted', 'undone')
    AND {is_gone}


-- name: map_entries
-- How many legacy keys of a table the map leads anywhere.
SELECT count(*)
FROM {map}
WHERE source_id = {source_id} AND legacy_table = {legacy_table} AND state IN ('live', 'merged', 'deleted', 'undone')


-- name: removed
-- Live entries of the map whose target row is not there.
SELECT m.legacy_table, m.legacy_key::text AS legacy_key, m.new_key::text AS new_key
FROM {map} AS m
WHERE m.source_id = {source_id} AND m.state = 'live' AND NOT EXISTS (SELECT FROM {target} AS t WHERE {key_join})
