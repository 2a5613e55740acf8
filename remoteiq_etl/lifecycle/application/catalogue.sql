-- name: casts
-- The types of the schema to which text can be cast, and when: e(xplicitly), on a(ssignment), i(mplicitly).
SELECT t.typname, c.castcontext::text
FROM pg_catalog.pg_cast AS c
JOIN pg_catalog.pg_type AS t ON t.oid = c.casttarget
WHERE c.castsource = 'pg_catalog.text'::regtype AND t.typnamespace = to_regnamespace(quote_ident(%(schema)s))


-- name: columns
-- With the length that a type is limited to, and the default of a column that must not be null.
SELECT
    c.relname,
    a.attname,
    pg_catalog.format_type(a.atttypid, NULL),
    CASE
        WHEN y.typtype = 'e' THEN pg_catalog.format('%%I.%%I', y.typnamespace::pg_catalog.regnamespace::text, y.typname)
        ELSE pg_catalog.format_type(a.atttypid, a.atttypmod)
    END,
    NOT a.attnotnull,
    CASE WHEN a.attnotnull AND a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND a.attnum > 0 AND NOT a.attisdropped


-- name: grants
SELECT role_id::text, permission_key FROM {role_permissions}


-- name: labels
SELECT t.typname, e.enumlabel
FROM pg_catalog.pg_enum AS e
JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
WHERE t.typnamespace = to_regnamespace(quote_ident(%(schema)s))


-- name: permissions
SELECT permission_key FROM {permissions}


-- name: relations
SELECT c.relname, c.relkind::text, pg_catalog.pg_get_userbyid(c.relowner)
FROM pg_catalog.pg_class AS c
WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')


-- name: triggers
SELECT c.relname, g.tgname
FROM pg_catalog.pg_trigger AS g
JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND NOT g.tgisinternal


-- name: uniques
-- The columns of each unique index without a condition or expression.
SELECT c.relname, ARRAY(
    SELECT a.attname::text FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
)
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
    AND i.indexprs IS NULL
