-- The archive keeps the values of a row that is gone, marked.
UPDATE {archive} AS a
SET gone_run = CASE WHEN g.returned_run IS NULL THEN {run_id} END
FROM {gone} AS g
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.legacy_table = {legacy_table}
    AND (g.last_run = {run_id} AND g.returned_run IS NULL OR g.returned_run = {run_id})
    AND a.source_id = g.source_id AND a.legacy_table = g.legacy_table AND a.legacy_key = g.legacy_key
    AND (a.gone_run IS NULL) = (g.returned_run IS NULL)
