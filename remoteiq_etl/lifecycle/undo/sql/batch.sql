-- The next rows of one table, locked; whether they are still what they were when the undo began.
CREATE TEMPORARY TABLE undo_batch ON COMMIT DROP AS
SELECT
    r.*,
    r.row_hash IS NOT DISTINCT FROM CASE WHEN {absent} THEN NULL ELSE {row_now} END AS as_planned,
    {absent} OR i.after_activity IS NOT DISTINCT FROM {activity} AS idle
FROM (
    SELECT *
    FROM {undo_rows}
    WHERE undo_id = %(undo_id)s AND table_name = {table_name} AND action = %(action)s AND NOT done
        AND deferred = %(deferred)s
    ORDER BY new_key
    LIMIT %(rows)s
) AS r
LEFT JOIN {target} AS t ON {row_join}
LEFT JOIN {before_images} AS i ON i.id = r.last_image
