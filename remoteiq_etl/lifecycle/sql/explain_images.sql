-- What one target row was before each of our writes to it, the oldest first.
SELECT
    run_id, operation, image, ARRAY(SELECT jsonb_object_keys(coalesce(sealed, '{{}}'))) AS sealed,
    coalesce(withheld, '{{}}') AS withheld, undone_by
FROM {before_images}
WHERE source_id = %(source_id)s AND table_name = %(table)s AND new_key = %(key)s
ORDER BY id
