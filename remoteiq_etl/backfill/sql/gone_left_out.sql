-- Rows that became none of their own and are gone; the archive keeps their values, marked.
WITH lost AS (
    DELETE FROM {left_out} AS o
    WHERE o.source_id = {source_id} AND o.table_name = {table_name} AND o.legacy_table = {legacy_table}
        AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key::text = o.legacy_key)
    RETURNING o.legacy_key
)
UPDATE {archive} AS a
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
