-- The rows of the plan, and those that stay: they have no part in the proof.
INSERT INTO {undo_rows}
    (undo_id, table_name, new_key, action, done, legacy_table, legacy_key, first_image, last_image, row_hash, lost)
SELECT
    %(undo_id)s, u.table_name, u.new_key, CASE u.verdict WHEN 'free' THEN u.action ELSE 'keep' END, u.verdict <> 'free',
    u.legacy_table, u.legacy_key, u.first_image, u.last_image, u.row_hash, u.lost
FROM undoing AS u
WHERE u.verdict IN ('free', 'kept')
