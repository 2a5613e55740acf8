-- What rows are after the write whose images these are.
UPDATE {before_images} AS b
SET after_hash = {state}, after_activity = {activity}
FROM {target} AS t
WHERE b.id = ANY (%(ids)s) AND {key_join}
