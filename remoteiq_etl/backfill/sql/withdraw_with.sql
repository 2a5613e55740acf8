-- Rows that lose what they grant together with the row that they belong to, and are gone from legacy with it.
UPDATE {gone} AS g
SET outcome = {outcome}, reason = NULL, done_run = {run_id}, judged_run = {run_id}
FROM {target} AS t
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.last_run = {run_id} AND g.returned_run IS NULL
    AND g.outcome = 'listed' AND {row_join} AND {affected}
