-- What images leave out, read from the rows while they are still as they were.
SELECT b.id, b.new_key, (SELECT json_object_agg(name, (to_jsonb(t) -> name)::text) FROM unnest(b.withheld) AS name)
FROM {before_images} AS b
JOIN {target} AS t ON {key_join}
WHERE b.id = ANY (%(ids)s)
