-- Nobody can change these rows, or refer to them anew, until the batch is committed.
SELECT FROM {target} AS t
WHERE EXISTS (
    SELECT FROM (
        SELECT new_key
        FROM {undo_rows}
        WHERE undo_id = %(undo_id)s AND table_name = {table_name} AND action = %(action)s AND NOT done
            AND deferred = %(deferred)s
        ORDER BY new_key
        LIMIT %(rows)s
    ) AS r
    WHERE {row_join}
)
FOR UPDATE OF t
