DELETE FROM {target} AS t
USING going AS g
WHERE g.table_name = {table_name} AND g.verdict = 'free' AND {row_join}
