-- name: earlier
-- Median and most seconds of each step of earlier cut-overs of the source, those included that were taken back.
SELECT s.key, percentile_cont(0.5) WITHIN GROUP (ORDER BY s.value::double precision), max(s.value::double precision)
FROM {cutovers} AS c
CROSS JOIN LATERAL jsonb_each_text(c.seconds) AS s
WHERE c.source_id = %(source_id)s AND c.switched_at IS NOT NULL AND s.key <> 'downtime'
GROUP BY s.key


-- name: runs
-- The same of its last runs.
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY r.seconds), max(r.seconds)
FROM (
    SELECT extract(epoch FROM finished_at - started_at)::double precision AS seconds
    FROM {runs}
    WHERE source_id = %(source_id)s AND status = 'succeeded'
    ORDER BY id DESC
    LIMIT 5
) AS r


-- name: verifications
-- The same of its last verifications.
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY v.seconds), max(v.seconds)
FROM (
    SELECT extract(epoch FROM finished_at - started_at)::double precision AS seconds
    FROM {verification_runs}
    WHERE source_id = %(source_id)s AND status = 'passed'
    ORDER BY id DESC
    LIMIT 5
) AS v
