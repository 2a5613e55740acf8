-- What the transaction in work has changed so far, whoever made it: cascades, set nulls and triggers count, too.
SELECT s.schemaname, s.relname, s.n_tup_del, s.n_tup_upd
FROM pg_catalog.pg_stat_xact_user_tables AS s
WHERE s.n_tup_del + s.n_tup_upd > 0 AND s.schemaname <> %s AND s.schemaname !~ '^pg_temp'
