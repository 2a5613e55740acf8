-- name: hidden_values
-- What images leave out, read from the rows while they are still as they were.
SELECT b.id, b.new_key, (SELECT json_object_agg(name, (to_jsonb(t) -> name)::text) FROM unnest(b.withheld) AS name)
FROM {before_images} AS b
JOIN {target} AS t ON {key_join}
WHERE b.id = ANY (%(ids)s)


-- name: left_images
-- What rows are after the write whose images these are.
UPDATE {before_images} AS b
SET after_hash = {state}, after_activity = {activity}
FROM {target} AS t
WHERE b.id = ANY (%(ids)s) AND {key_join}


-- name: seal_images
UPDATE {before_images} AS b
SET sealed = v.sealed, key_id = {key_id}, withheld = '{{}}'
FROM json_to_recordset(%(rows)s::json) AS v (id bigint, sealed jsonb)
WHERE b.id = v.id
