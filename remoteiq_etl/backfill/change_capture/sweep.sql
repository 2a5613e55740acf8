-- name: found_late
-- Rows that no transaction since the last pass has written, and that are not as they were last read. Those that wait and
-- those in conflict are read by every run anyway.
SELECT s._key::text
FROM {stage} AS s
WHERE NOT s._fresh
    AND NOT EXISTS (
        SELECT FROM {map} AS m
        WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
            AND m.source_hash = s._hash AND m.state <> 'gone'
    )
    AND NOT EXISTS (
        SELECT FROM {left_out} AS o
        WHERE o.source_id = {source_id} AND o.table_name = {table_name} AND o.legacy_table = {legacy_table}
            AND o.legacy_key = s._key::text AND o.source_hash = s._hash
    )
    AND s._key::text NOT IN (
        SELECT legacy_key FROM {quarantine}
        WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table} AND released_run IS NULL
        UNION ALL
        SELECT legacy_key FROM {held}
        WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table} AND released_run IS NULL
        UNION ALL
        SELECT legacy_key FROM {conflicts}
        WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table} AND resolved_run IS NULL
    )
