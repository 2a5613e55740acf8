-- How many rows a kind of task has, and the first of them.
SELECT count(*)::bigint, coalesce((array_agg(one.key ORDER BY one.key))[1:%(few)s], '{{}}') FROM ({rows}) AS one
