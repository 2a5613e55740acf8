-- name: lacking
-- Objects that a refusal names and on which the role lacks something, the one with the longest name first: the text is
-- in the language of the server. Only a writer lacks more than SELECT on a table.
WITH
said AS (
    SELECT ' ' || pg_catalog.translate(%(said)s, '"«»„“”‚‘’`''', '           ') || ' ' AS words
),
objects AS (
    SELECT
        1 AS rank,
        CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind,
        c.relname::text AS word,
        pg_catalog.format('%%I.%%I', n.nspname, c.relname) AS name,
        c.relowner AS owner,
        CASE
            WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN ''
            WHEN c.relkind = 'S' THEN
                CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE') THEN '' ELSE 'USAGE' END
            ELSE pg_catalog.concat_ws(
                ', ',
                CASE WHEN NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN 'SELECT' END,
                CASE WHEN %(writes)s AND NOT pg_catalog.has_table_privilege(c.oid, 'INSERT') THEN 'INSERT' END,
                CASE WHEN %(writes)s AND NOT pg_catalog.has_table_privilege(c.oid, 'UPDATE') THEN 'UPDATE' END,
                CASE WHEN %(writes)s AND NOT pg_catalog.has_table_privilege(c.oid, 'DELETE') THEN 'DELETE' END
            )
        END AS rights
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    UNION ALL
    SELECT
        2,
        'schema',
        n.nspname::text,
        pg_catalog.format('%%I', n.nspname),
        n.nspowner,
        CASE
            WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'USAGE'
            WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE') THEN 'CREATE'
            ELSE ''
        END
    FROM pg_catalog.pg_namespace AS n
    UNION ALL
    SELECT
        3,
        'function',
        p.proname::text,
        pg_catalog.format('%%I.%%I(%%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)),
        p.proowner,
        CASE WHEN pg_catalog.has_function_privilege(p.oid, 'EXECUTE') THEN '' ELSE 'EXECUTE' END
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    UNION ALL
    SELECT
        4,
        'database',
        d.datname::text,
        pg_catalog.format('%%I', d.datname),
        d.datdba,
        CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CREATE') THEN '' ELSE 'CREATE' END
    FROM pg_catalog.pg_database AS d
    WHERE d.datname = pg_catalog.current_database()
)
SELECT
    o.kind,
    o.name,
    CASE WHEN %(owner)s THEN '' ELSE o.rights END AS rights,
    pg_catalog.quote_ident(current_user) AS role,
    pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.owner)) AS owner
FROM objects AS o, said AS s
WHERE pg_catalog.strpos(s.words, ' ' || o.word || ' ') > 0
    AND CASE WHEN %(owner)s THEN NOT pg_catalog.pg_has_role(o.owner, 'USAGE') ELSE o.rights <> '' END
ORDER BY pg_catalog.length(o.word) DESC, o.rank
LIMIT 1
