-- Open held rows by what they wait for.
SELECT
    table_name AS "table", legacy_table, parent_table, "column", count(*)::bigint AS "rows", min(held_at) AS oldest,
    (array_agg(legacy_key ORDER BY held_at, legacy_key))[1:%(few)s] AS keys
FROM {held}
WHERE source_id = %(source_id)s AND released_run IS NULL
GROUP BY table_name, legacy_table, parent_table, "column"
ORDER BY count(*) DESC, table_name, parent_table
