-- Legacy rows that were merged into rows of one target table and have no entry in its map.
SELECT l.table_name AS "table", l.legacy_table, l.legacy_key, l.outcome, l.rule, l.run_id
FROM {left_out} AS l
WHERE l.source_id = %(source_id)s AND l.table_name = %(table)s AND l.outcome = 'merged'
    AND NOT EXISTS (
        SELECT FROM {map} AS m
        WHERE m.source_id = l.source_id AND m.legacy_table = l.legacy_table AND m.legacy_key::text = l.legacy_key
    )
ORDER BY l.legacy_table, l.legacy_key
