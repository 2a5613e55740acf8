-- name: catalogue
-- One hash over all relations of a schema with their columns, constraints, indexes and triggers, and over its enum types; views
-- of reports are left out, and the schema's own name. It says whether anything changed, not what.
SELECT md5(coalesce(string_agg(one.line, E'\n' ORDER BY one.line COLLATE "C"), ''))
FROM (
    SELECT replace(every.line, quote_ident(%(schema)s) || '.', '') AS line FROM (
    SELECT format('column %%s.%%s %%s %%s %%s %%s', c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated) AS line
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT format('constraint %%s %%s %%s', k.conrelid::regclass::text COLLATE "C", k.contype, pg_catalog.pg_get_constraintdef(k.oid))
    FROM pg_catalog.pg_constraint AS k
    JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
    WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind IN ('r', 'p') AND k.contype <> 't' AND k.contype <> 'n'
    UNION ALL
    SELECT format('index %%s', pg_catalog.pg_get_indexdef(i.indexrelid))
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
    WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT format('trigger %%s %%s %%s', c.relname, g.tgname, g.tgenabled)
    FROM pg_catalog.pg_trigger AS g
    JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
    WHERE c.relnamespace = to_regnamespace(%(schema)s) AND NOT g.tgisinternal
    UNION ALL
    SELECT format('label %%s %%s', t.typname, string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder))
    FROM pg_catalog.pg_enum AS e
    JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
    WHERE t.typnamespace = to_regnamespace(%(schema)s)
    GROUP BY t.typname
    ) AS every
) AS one


-- name: last_change
-- What last changed rows of the target on behalf of a source: batches of runs, deletions, and undos.
SELECT
    (
        SELECT max(w.written_at)::text FROM ({written}) AS w JOIN {runs} AS r ON r.id = w.run_id WHERE r.source_id = %(source_id)s
    ),
    (SELECT max(id) FROM {movements} WHERE source_id = %(source_id)s),
    (SELECT max(id) FROM {undos} WHERE source_id = %(source_id)s AND begun_at IS NOT NULL)


-- name: last_rehearsal
SELECT max(id) FROM {rehearsals} WHERE source_id = %(source_id)s


-- name: shape
-- One hash over the columns of a schema's tables and over its enum types: what a load needs, without what finalize makes. Null
-- where there are none.
SELECT md5(string_agg(one.line, E'\n' ORDER BY one.line COLLATE "C"))
FROM (
    SELECT replace(every.line, quote_ident(%(schema)s) || '.', '') AS line FROM (
    SELECT format('column %%s.%%s %%s', c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)) AS line
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT format('label %%s %%s', t.typname, string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder))
    FROM pg_catalog.pg_enum AS e
    JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
    WHERE t.typnamespace = to_regnamespace(%(schema)s)
    GROUP BY t.typname
    ) AS every
) AS one
