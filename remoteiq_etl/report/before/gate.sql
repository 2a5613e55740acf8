-- name: rehearsals
-- The last rehearsals, the latest first, with the downtime that is to be expected, at least and at most, in seconds.
SELECT
    id, verdict, ended_at, actor,
    CASE WHEN jsonb_typeof(certificate -> 'window') = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(certificate -> 'window')) END
FROM {rehearsals}
WHERE source_id = %(source_id)s
ORDER BY id DESC
LIMIT 5
