-- Rows whose former secrets are sealed with a key that is not given.
UPDATE undoing AS u
SET verdict = 'blocked', reason = 'former secrets are sealed with the key ' || b.key_id || ', which is not given'
FROM {before_images} AS b
WHERE u.verdict = 'free' AND u.action <> 'delete' AND b.source_id = {source_id} AND b.table_name = u.table_name
    AND b.new_key = u.new_key AND b.id BETWEEN u.first_image AND u.last_image AND b.undone_by IS NULL
    AND b.key_id IS NOT NULL AND b.key_id <> ALL (%(key_ids)s)
