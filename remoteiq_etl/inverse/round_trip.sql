-- name: shown_rows
-- What the view shows, read once.
CREATE TEMP TABLE shown_row AS SELECT {shown} FROM {view}


-- name: known_rows
-- What became of each legacy row: that it waits, became no row of its own, or is mapped, with the hash of what was read.
CREATE TEMP TABLE known_row AS
SELECT q.legacy_key, 'quarantined' AS state, q.source_hash
FROM {quarantine} AS q
WHERE q.source_id = {source} AND q.legacy_table = {legacy_table} AND q.released_run IS NULL
UNION ALL
SELECT w.legacy_key, 'held', w.source_hash
FROM {held} AS w
WHERE w.source_id = {source} AND w.legacy_table = {legacy_table} AND w.released_run IS NULL
UNION ALL
SELECT l.legacy_key, l.outcome, l.source_hash
FROM {left_out} AS l
WHERE l.source_id = {source} AND l.legacy_table = {legacy_table} AND l.table_name = ANY (%(primary)s)


-- name: mapped_rows
INSERT INTO known_row
SELECT m.legacy_key::text, m.state, m.source_hash
FROM {map} AS m
WHERE m.source_id = {source} AND m.legacy_table = {legacy_table} AND m.state <> 'decided'


-- name: differences
-- Rows that only one side has, columns in which rows of one key differ, and keys that the view shows twice.
CREATE TEMP TABLE difference AS
WITH missing AS MATERIALIZED (
    SELECT {columns} FROM {copy}
    EXCEPT
    SELECT {columns} FROM pg_temp.shown_row
),
surplus AS MATERIALIZED (
    SELECT {columns} FROM pg_temp.shown_row
    EXCEPT
    SELECT {columns} FROM {copy}
)
SELECT
    CASE WHEN s.{any_key} IS NULL THEN 'missing' WHEN m.{any_key} IS NULL THEN 'surplus' ELSE 'changed' END AS kind,
    coalesce({missing_key}, {surplus_key}) AS key,
    CASE
        WHEN s.{any_key} IS NULL OR m.{any_key} IS NULL THEN ARRAY[]::text[]
        ELSE array_remove(ARRAY[{differing}]::text[], NULL)
    END AS columns
FROM missing AS m
FULL JOIN surplus AS s ON {same}
UNION ALL
SELECT 'twofold', {twofold_key}, ARRAY[]::text[] FROM (SELECT {keys} FROM pg_temp.shown_row GROUP BY {keys} HAVING count(*) > 1) AS v


-- name: edited
-- Of rows that differ those that are not in the target, or not there as they were last written.
SELECT m.legacy_key::text
FROM {map} AS m
LEFT JOIN {target} AS t ON {key_join}
WHERE
    m.source_id = {source_id}
    AND m.legacy_table = {legacy_table}
    AND m.state = 'live'
    AND (m.written_hash = {current_hash}) IS NOT TRUE
    AND m.legacy_key::text IN (SELECT d.key FROM pg_temp.difference AS d)


-- name: edited_elsewhere
-- Whether any of our rows of a table is not as it was last written.
SELECT EXISTS (
    SELECT
    FROM {map} AS m
    LEFT JOIN {target} AS t ON {key_join}
    WHERE
        m.source_id = {source_id}
        AND m.legacy_table = {legacy_table}
        AND m.state = 'live'
        AND m.written_hash IS NOT NULL
        AND (m.written_hash = {current_hash}) IS NOT TRUE
)


-- name: judged
-- Every difference with what became of its row, which of its times are not carried, and whether legacy has changed it since.
SELECT
    d.kind,
    d.key,
    d.columns,
    c._odd_times,
    k.state,
    k.source_hash <> c._hash AS has_changed
FROM pg_temp.difference AS d
LEFT JOIN {copy} AS c ON {copy_key} = d.key
LEFT JOIN LATERAL (
    SELECT k.state, k.source_hash
    FROM pg_temp.known_row AS k
    WHERE k.legacy_key = d.key
    ORDER BY array_position(ARRAY['quarantined', 'held', 'live'], k.state)
    LIMIT 1
) AS k ON true
ORDER BY d.kind, d.key


-- name: only_new
-- Of keys that legacy has not those under which the view shows a row that the new application alone wrote.
SELECT x.legacy_key::text FROM {numbers} AS x
WHERE x.source_id = {source} AND x.legacy_table = {legacy_table} AND x.legacy_key::text = ANY (%(keys)s)


-- name: mapped_as_new
-- Of keys that legacy has not those of rows that the migration wrote.
SELECT m.new_key::text FROM {map} AS m WHERE m.state = 'live' AND m.new_key::text = ANY (%(keys)s)


-- name: counts
SELECT (SELECT count(*) FROM {copy}), (SELECT count(*) FROM pg_temp.shown_row)
