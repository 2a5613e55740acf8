-- Nobody can change these rows, or refer to them anew, until they are judged and gone.
SELECT FROM {target} AS t
JOIN (SELECT DISTINCT new_key FROM going WHERE table_name = {table_name} AND verdict = 'unknown') AS g ON {row_join}
ORDER BY {order}
FOR UPDATE OF t
