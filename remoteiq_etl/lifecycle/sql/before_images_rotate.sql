UPDATE {before_images} AS b
SET sealed = v.sealed, key_id = %(key_id)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (id bigint, sealed jsonb)
WHERE b.id = v.id
