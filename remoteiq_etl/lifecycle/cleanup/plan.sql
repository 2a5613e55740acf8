-- name: objects
-- The objects of a schema that can be dropped by themselves: not what belongs to an extension, to a column, or to a table.
WITH objects AS (
    SELECT
        'pg_catalog.pg_class'::regclass::oid AS class,
        c.oid,
        CASE c.relkind
            WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE'
            ELSE 'TABLE'
        END AS kind,
        c.relname::text AS name,
        NULL::text AS arguments
    FROM pg_catalog.pg_class AS c
    WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    UNION ALL
    SELECT
        'pg_catalog.pg_proc'::regclass,
        p.oid,
        CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END,
        p.proname,
        pg_catalog.pg_get_function_identity_arguments(p.oid)
    FROM pg_catalog.pg_proc AS p
    WHERE p.pronamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass, t.oid, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.typname, NULL
    FROM pg_catalog.pg_type AS t
    LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
    WHERE t.typnamespace = %(schema)s::regnamespace AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
)
SELECT o.class::bigint, o.oid::bigint, o.kind, o.name, o.arguments
FROM objects AS o
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend AS d
    WHERE d.classid = o.class AND d.objid = o.oid AND d.objsubid = 0 AND d.deptype IN ('e', 'i', 'a')
)
ORDER BY 3, 4, 5


-- name: dependents
-- What depends on these objects, on their row types and on what belongs to them: the object that would have to go first, what of
-- it depends, and which foreign key that is. A part of a table stands for the table, a rule for its view.
WITH RECURSIVE listed (class, oid) AS (
    SELECT * FROM unnest(%(classes)s::bigint[]::oid[], %(oids)s::bigint[]::oid[])
), owned (class, oid, part_class, part) AS (
    SELECT class, oid, class, oid FROM listed
    UNION
    SELECT o.class, o.oid, d.classid, d.objid
    FROM owned AS o
    JOIN pg_catalog.pg_depend AS d ON d.refclassid = o.part_class AND d.refobjid = o.part AND d.deptype IN ('i', 'a')
), edges AS (
    SELECT o.class, o.oid, d.classid, d.objid, d.objsubid
    FROM owned AS o
    JOIN pg_catalog.pg_depend AS d ON d.refclassid = o.part_class AND d.refobjid = o.part AND d.deptype = 'n'
), placed AS (
    SELECT
        e.class,
        e.oid,
        coalesce(p.class, e.classid) AS by_class,
        coalesce(p.oid, e.objid) AS by_oid,
        e.classid,
        e.objid,
        e.objsubid
    FROM edges AS e
    LEFT JOIN LATERAL (
        SELECT o.class, o.oid FROM owned AS o WHERE o.part_class = e.classid AND o.part = e.objid LIMIT 1
    ) AS p ON true
)
SELECT
    p.class::bigint,
    p.oid::bigint,
    p.by_class::bigint,
    p.by_oid::bigint,
    pg_catalog.pg_describe_object(p.classid, p.objid, p.objsubid),
    k.conrelid::regclass::text,
    k.conname::text
FROM placed AS p
LEFT JOIN pg_catalog.pg_constraint AS k
    ON p.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = p.objid AND k.contype = 'f'
WHERE (p.class, p.oid) <> (p.by_class, p.by_oid)


-- name: trigger_functions
-- The functions that triggers call, and whether every one of these triggers is on one of these tables.
SELECT t.tgfoid::bigint, bool_and(t.tgrelid = ANY (%(oids)s::bigint[]::oid[]))
FROM pg_catalog.pg_trigger AS t
WHERE NOT t.tgisinternal
GROUP BY t.tgfoid


-- name: used_sequences
-- The sequences that defaults of these tables read, and whether no other table does.
SELECT s.oid::bigint, bool_and(a.adrelid = ANY (%(oids)s::bigint[]::oid[]))
FROM pg_catalog.pg_depend AS d
JOIN pg_catalog.pg_attrdef AS a ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND a.oid = d.objid
JOIN pg_catalog.pg_class AS s ON d.refclassid = 'pg_catalog.pg_class'::regclass AND s.oid = d.refobjid AND s.relkind = 'S'
GROUP BY s.oid


-- name: fingerprint
-- One text over all that a schema's catalogue says: tables, columns, constraints, indexes, triggers, views, functions, labels,
-- rights. Another one whenever any of it is another.
SELECT md5(string_agg(f.line, E'\n' ORDER BY f.line)) FROM (
    SELECT format('column %%s %%s %%s %%s %%s %%s', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS line
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT format('relation %%s %%s %%s', c.relname, c.relkind, c.relacl) FROM pg_catalog.pg_class AS c
    WHERE c.relnamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT format('constraint %%s %%s %%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
    FROM pg_catalog.pg_constraint AS k WHERE k.connamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT format('index %%s %%s', pg_get_indexdef(i.indexrelid), i.indisvalid) FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid WHERE c.relnamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT format('trigger %%s', pg_get_triggerdef(t.oid)) FROM pg_catalog.pg_trigger AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = %(schema)s::regnamespace AND NOT t.tgisinternal
    UNION ALL
    SELECT format('view %%s %%s', c.relname, pg_get_viewdef(c.oid)) FROM pg_catalog.pg_class AS c
    WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('v', 'm')
    UNION ALL
    SELECT format('function %%s %%s %%s', p.oid::regprocedure, p.prosrc, p.proacl) FROM pg_catalog.pg_proc AS p
    WHERE p.pronamespace = %(schema)s::regnamespace
    UNION ALL
    SELECT format('label %%s %%s %%s', t.typname, e.enumsortorder, e.enumlabel) FROM pg_catalog.pg_enum AS e
    JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid WHERE t.typnamespace = %(schema)s::regnamespace
) AS f
