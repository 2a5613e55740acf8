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
