WITH formed AS (
    SELECT f.*
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (new_key text, image jsonb)
    JOIN {target} AS t ON {row_join}
    CROSS JOIN LATERAL jsonb_populate_record(t, v.image) AS f
)
UPDATE {target} AS t
SET {assignments}
FROM formed AS f
WHERE {same_key} AND to_jsonb(t) IS DISTINCT FROM to_jsonb(f)
