UPDATE {before_images} AS b
SET sealed = v.sealed, key_id = {key_id}, withheld = '{{}}'
FROM json_to_recordset(%(rows)s::json) AS v (id bigint, sealed jsonb)
WHERE b.id = v.id
