-- name: figures
-- What a reset would forget of one legacy table.
SELECT m.*, l.*, w.*
FROM (
    SELECT
        count(*) FILTER (WHERE m.state = 'live' AND NOT m.adopted AND {there} AND ({current_hash} <> m.written_hash) IS NOT TRUE),
        count(*) FILTER (WHERE m.state = 'live' AND NOT m.adopted AND {there} AND {current_hash} <> m.written_hash),
        count(*) FILTER (WHERE m.state = 'live' AND m.adopted AND {there}),
        count(*) FILTER (WHERE m.state = 'merged'),
        count(*) FILTER (WHERE m.state = 'deleted' OR m.state = 'live' AND NOT {there}),
        count(*) FILTER (WHERE m.state IN ('gone', 'undone'))
    FROM {map} AS m
    LEFT JOIN {target} AS t ON {key_join}
    WHERE m.source_id = %(source_id)s AND m.legacy_table = %(legacy_table)s
        AND (%(keys)s::text[] IS NULL OR m.legacy_key::text = ANY (%(keys)s))
) AS m
CROSS JOIN (
    SELECT count(*)
    FROM {left_out} AS l
    WHERE l.source_id = %(source_id)s AND l.table_name = %(table)s AND l.legacy_table = %(legacy_table)s
        AND (%(keys)s::text[] IS NULL OR l.legacy_key = ANY (%(keys)s))
        AND NOT EXISTS (
            SELECT FROM {map} AS m
            WHERE m.source_id = l.source_id AND m.legacy_table = l.legacy_table AND m.legacy_key::text = l.legacy_key
        )
) AS l
CROSS JOIN (
    SELECT count(DISTINCT w.legacy_key)
    FROM (
        SELECT source_id, table_name, legacy_table, legacy_key FROM {quarantine} WHERE released_run IS NULL
        UNION ALL
        SELECT source_id, table_name, legacy_table, legacy_key FROM {held} WHERE released_run IS NULL
    ) AS w
    WHERE w.source_id = %(source_id)s AND w.table_name = %(table)s AND w.legacy_table = %(legacy_table)s
        AND (%(keys)s::text[] IS NULL OR w.legacy_key = ANY (%(keys)s))
) AS w


-- name: left_out
UPDATE {left_out}
SET source_hash = NULL
WHERE source_id = %(source_id)s AND table_name = %(table)s AND legacy_table = %(legacy_table)s
    AND (%(keys)s::text[] IS NULL OR legacy_key = ANY (%(keys)s))


-- name: map
-- No legacy row has an empty hash, and no target row either: what legacy gives differs from it, and so does what is there.
UPDATE {map} AS m
SET
    source_hash = NULL,
    written_hash = CASE
        WHEN m.state = 'live' AND NOT m.adopted AND EXISTS (
            SELECT FROM {target} AS t WHERE {key_join} AND {current_hash} <> m.written_hash
        ) THEN ''::bytea
        ELSE m.written_hash
    END
WHERE m.source_id = %(source_id)s AND m.legacy_table = %(legacy_table)s
    AND (%(keys)s::text[] IS NULL OR m.legacy_key::text = ANY (%(keys)s))


-- name: record
INSERT INTO {resets} (source_id, table_name, legacy_table, legacy_key, take_legacy, recreate, figures, actor)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)


-- name: rows
-- The legacy rows that one key names, of the legacy tables that an asset reads. A row is named by its legacy or its new key.
SELECT m.legacy_table, m.legacy_key::text
FROM {map} AS m
WHERE m.source_id = %(source_id)s AND m.legacy_table = ANY (%(legacy_tables)s)
    AND (m.legacy_key::text = %(key)s::text OR m.new_key::text = %(key)s::text AND m.state <> 'decided')
UNION
SELECT w.legacy_table, w.legacy_key
FROM (
    SELECT source_id, table_name, legacy_table, legacy_key FROM {left_out}
    UNION ALL
    SELECT source_id, table_name, legacy_table, legacy_key FROM {quarantine} WHERE released_run IS NULL
    UNION ALL
    SELECT source_id, table_name, legacy_table, legacy_key FROM {held} WHERE released_run IS NULL
) AS w
WHERE w.source_id = %(source_id)s AND w.table_name = %(table)s AND w.legacy_table = ANY (%(legacy_tables)s)
    AND w.legacy_key = %(key)s::text
ORDER BY 1, 2
