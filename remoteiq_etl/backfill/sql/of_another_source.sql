-- Rows that differ from the one that another source has: legacy keys of those that have no place beside it.
SELECT s._key::text
FROM merge_plan AS p
JOIN {stage} AS s USING (_row)
JOIN {conflicts} AS c ON c.source_id = {source_id} AND c.table_name = {table_name} AND c.legacy_table = {legacy_table}
    AND c.legacy_key = s._key::text AND c.new_key = p.new_key::text AND c.last_run = {run_id} AND c.resolved_run IS NULL
WHERE p.elsewhere
