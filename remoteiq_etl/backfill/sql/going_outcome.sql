-- What was found out about each row.
UPDATE {gone} AS g
SET
    outcome = CASE WHEN k.verdict IN ('was deleted in target', 'withdrawn') THEN k.verdict ELSE 'listed' END,
    reason = k.verdict,
    holder = k.holder,
    judged_run = {run_id}
FROM going AS k
WHERE g.source_id = {source_id} AND g.table_name = k.table_name AND g.legacy_table = k.legacy_table
    AND g.legacy_key = k.legacy_key
