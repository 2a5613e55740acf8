-- The rows of the next units that are to be looked at: everything gone that belongs to them.
CREATE TEMPORARY TABLE going ON COMMIT DROP AS
WITH next AS (
    SELECT DISTINCT g.unit
    FROM {gone} AS g
    WHERE g.source_id = {source_id} AND g.last_run = {run_id} AND g.returned_run IS NULL AND {members}
        AND g.outcome = 'listed' AND g.judged_run IS DISTINCT FROM {run_id}
    ORDER BY g.unit
    LIMIT {units}
)
SELECT
    g.table_name, g.legacy_table, g.legacy_key, g.new_key, g.unit,
    CASE g.outcome WHEN 'listed' THEN 'unknown' ELSE g.outcome END AS verdict,
    NULL::text AS holder
FROM {gone} AS g
WHERE g.source_id = {source_id} AND g.last_run = {run_id} AND g.returned_run IS NULL AND {members}
    AND g.outcome IN ('listed', 'withdrawn') AND g.unit IN (SELECT unit FROM next)
