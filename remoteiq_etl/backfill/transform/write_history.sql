-- name: history
-- Every write of ours to the rows of one table, with what was there before and after it. An update happens only where the
-- row is as it was last written, so what one write found is what the one before it left.
WITH writes AS (
    SELECT m.new_key::text AS key, m.first_run AS run_id, 0 AS number, NULL::jsonb AS previous
    FROM {map} AS m
    WHERE m.source_id = {source_id} AND m.state = 'live' AND NOT m.adopted AND m.written_hash IS NOT NULL
    UNION ALL
    SELECT b.new_key, b.run_id, b.id, b.image
    FROM {before_images} AS b
    WHERE b.source_id = {source_id} AND b.table_name = {table_name} AND b.operation IN ('adopt', 'update')
        AND b.undone_by IS NULL
)
SELECT
    w.run_id::text AS run,
    r.started_at AS at,
    w.key,
    w.previous::text AS previous,
    coalesce(
        lead(w.previous) OVER (PARTITION BY w.key ORDER BY w.number),
        CASE WHEN m.adopted THEN {redacted}(to_jsonb(t)) ELSE m.last_written - {further} END
    )::text AS next
FROM writes AS w
JOIN {runs} AS r ON r.id = w.run_id
JOIN {map} AS m ON m.source_id = {source_id} AND m.state = 'live' AND m.new_key::text = w.key
LEFT JOIN {target} AS t ON {key_join}
ORDER BY w.key, w.number
