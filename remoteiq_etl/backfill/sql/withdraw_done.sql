UPDATE {gone} AS g
SET outcome = 'withdrawn', reason = NULL, done_run = {run_id}, judged_run = {run_id}
FROM going AS k
WHERE g.source_id = {source_id} AND g.table_name = k.table_name AND g.legacy_table = k.legacy_table
    AND g.legacy_key = k.legacy_key
