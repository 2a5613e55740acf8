-- name: view
-- An inverse as a view: the columns in the order and with the types of the legacy table.
SELECT {columns}
FROM ({select}) AS v

-- name: rows
-- The rows of a target table by legacy key: those that the map leads to, and those that the new application alone wrote. One that
-- was carried back to legacy is still such a row until a run has read it there.
(
    SELECT
        {legacy_key} AS legacy_key,
        CASE WHEN m.written_hash = '\x00' AND m.source_hash IS NULL THEN NULL ELSE m.legacy_key::text END AS archive_key,
        m.new_key,
        m.last_written AS written,
        m.decision
    FROM {map} AS m
    WHERE m.source_id = {source} AND m.legacy_table = {legacy_table} AND m.state = 'live' {new}
)

-- name: new
    UNION ALL
    SELECT {new_legacy_key}, NULL, {new_key}, NULL, NULL
    FROM {target_table} AS n {numbers}
    WHERE ({condition}) AND NOT EXISTS (SELECT FROM {map} AS m WHERE m.new_key = {new_key} AND m.state = 'live')

-- name: new_rows
SELECT {new_legacy_key}::text AS legacy_key, {new_key}::text AS new_key
FROM {target_table} AS n {numbers}
WHERE ({condition}) AND NOT EXISTS (SELECT FROM {map} AS m WHERE m.new_key = {new_key} AND m.state = 'live')

-- name: numbers
 JOIN {numbers} AS number ON number.source_id = {source} AND number.legacy_table = {legacy_table} AND number.new_key = n.{key}

-- name: unless
 AND NOT EXISTS (SELECT FROM {map} AS m WHERE m.source_id = {source} AND m.legacy_table = {legacy_table} AND m.legacy_key::text = h.legacy_key AND m.state = 'live')

-- name: archived
LEFT JOIN LATERAL (
    SELECT x.*
    FROM (
        SELECT jsonb_object_agg(h."column", h.value) AS held
        FROM {archive} AS h
        WHERE h.source_id = {source} AND h.legacy_table = {legacy_table} AND h.legacy_key = r.archive_key
    ) AS h
    CROSS JOIN LATERAL jsonb_to_record(h.held) AS x ({record})
) AS a ON true

-- name: whole
(
    SELECT h.legacy_key AS archive_key, x.*
    FROM (
        SELECT h.legacy_key, jsonb_object_agg(h."column", h.value) AS held
        FROM {archive} AS h
        WHERE h.source_id = {source} AND h.legacy_table = {legacy_table} AND h.gone_run IS NULL {unless}
        GROUP BY h.legacy_key
        HAVING count(*) FILTER (WHERE h.rule = ANY ({rules})) > 0
    ) AS h
    CROSS JOIN LATERAL jsonb_to_record(h.held) AS x ({record})
)
