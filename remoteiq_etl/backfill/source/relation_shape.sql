-- name: shapes
-- Of each of these tables what decides how its rows read although no row is written: in four parts, each a digest.
WITH RECURSIVE wanted AS (
    SELECT * FROM unnest(%(tables)s::text[], %(columns)s::text[]) AS w (table_name, column_name)
),
tree AS (
    SELECT c.relname::text AS table_name, c.oid AS relation
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname IN (SELECT w.table_name FROM wanted AS w)
    UNION
    SELECT t.table_name, i.inhrelid
    FROM tree AS t
    JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.relation
),
-- A column that was added with a default has its value in the catalogue, for all rows that were there.
attributes AS (
    SELECT
        t.table_name, t.relation, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attmissingval::text AS missing,
        CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS generated
    FROM tree AS t
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.relation AND a.attnum > 0 AND NOT a.attisdropped
    JOIN wanted AS w ON w.table_name = t.table_name AND w.column_name = a.attname
    LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
),
types AS (
    SELECT DISTINCT a.table_name, coalesce(nullif(e.typbasetype, 0), nullif(y.typbasetype, 0), nullif(y.typelem, 0), y.oid) AS type
    FROM attributes AS a
    JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type AS e ON e.oid = nullif(y.typelem, 0)
)
SELECT
    r.table_name,
    (
        SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(' ', t.relation, c.relkind), ',' ORDER BY t.relation))
        FROM tree AS t
        JOIN pg_catalog.pg_class AS c ON c.oid = t.relation
        WHERE t.table_name = r.table_name
    ),
    (
        SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(
            ROW(a.relation, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.missing, a.generated)::text,
            ',' ORDER BY a.relation, a.attnum
        ), ''))
        FROM attributes AS a
        WHERE a.table_name = r.table_name
    ),
    (
        SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(
            ROW(l.enumtypid, l.oid, l.enumsortorder, l.enumlabel)::text, ',' ORDER BY l.enumtypid, l.oid
        ), ''))
        FROM types AS y
        JOIN pg_catalog.pg_enum AS l ON l.enumtypid = y.type
        WHERE y.table_name = r.table_name
    ),
    (
        SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(
            ROW(p.polname, p.polcmd, p.polpermissive, p.polroles, pg_catalog.pg_get_expr(p.polqual, p.polrelid))::text,
            ',' ORDER BY p.polname
        ), 'none'))
        FROM tree AS t
        JOIN pg_catalog.pg_policy AS p ON p.polrelid = t.relation
        WHERE t.table_name = r.table_name AND pg_catalog.row_security_active(t.relation)
    )
FROM (SELECT DISTINCT t.table_name FROM tree AS t) AS r
