-- What was deleted; keys that were merged into a deleted row are deleted with it.
UPDATE {gone} AS g
SET outcome = 'deleted', reason = NULL, holder = NULL, judged_run = {run_id}, done_run = {run_id}
FROM (SELECT DISTINCT table_name, new_key FROM going WHERE verdict = 'free') AS k
WHERE g.source_id = {source_id} AND g.table_name = k.table_name AND g.new_key = k.new_key AND g.returned_run IS NULL
