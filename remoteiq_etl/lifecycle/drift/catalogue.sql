-- name: checks
-- One row per check constraint of a schema's tables.
SELECT
    c.relname AS table_name,
    pg_catalog.pg_get_expr(k.conbin, k.conrelid) AS expression,
    k.convalidated AS validated
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND k.contype = 'c' AND NOT c.relispartition


-- name: columns
-- One row per column of a schema's tables and views. A type of our own or of an extension goes by its bare name,
-- whatever the search_path; a domain goes by the type below it.
SELECT
    c.relname AS table_name,
    a.attname AS name,
    CASE
        WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod)
        WHEN tn.nspname = 'pg_catalog' THEN pg_catalog.format_type(a.atttypid, a.atttypmod)
        WHEN t.typcategory = 'A' THEN e.typname || '[]'
        ELSE t.typname
    END AS type,
    NOT a.attnotnull AS nullable,
    CASE
        WHEN a.attidentity <> '' THEN 'identity'
        WHEN a.attgenerated <> '' THEN 'generated'
        ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid)
    END AS default_value,
    a.attidentity <> 'a' AND a.attgenerated = '' AS writable
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped


-- name: enums
-- One row per label of the enum types that lie in a schema or that its tables use, in the order of the type.
SELECT t.typname AS name, e.enumlabel AS label
FROM pg_catalog.pg_enum AS e
JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
WHERE n.nspname = %(schema)s
   OR EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.relnamespace
        WHERE cn.nspname = %(schema)s AND a.atttypid = t.oid AND NOT a.attisdropped
   )
ORDER BY t.typname, e.enumsortorder


-- name: foreign_keys
-- One row per foreign key of a schema's tables.
SELECT
    c.relname AS table_name,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(k.conkey) WITH ORDINALITY AS f (attnum, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = f.attnum
        ORDER BY f.place
    ) AS columns,
    r.relname AS referred_table,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(k.confkey) WITH ORDINALITY AS f (attnum, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = f.attnum
        ORDER BY f.place
    ) AS referred_columns,
    CASE k.confdeltype
        WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT'
        ELSE 'NO ACTION'
    END AS on_delete
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid
WHERE n.nspname = %(schema)s AND k.contype = 'f' AND k.conparentid = 0


-- name: indexes
-- One row per index of a schema's tables that no constraint brings.
SELECT
    c.relname AS table_name,
    substring(pg_catalog.pg_get_indexdef(i.indexrelid) FROM 'USING (.*)$') AS definition,
    i.indisunique AS is_unique
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND i.indisvalid
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))


-- name: keys
-- One row per unique index that ON CONFLICT can name by its columns, primary keys included.
SELECT
    c.relname AS table_name,
    i.indisprimary AS is_primary,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE k.place <= i.indnkeyatts
        ORDER BY a.attname::text COLLATE "C"
    ) AS columns
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND NOT c.relispartition
  AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL


-- name: tables
-- One row per table or view of a schema; partitions belong to their table.
SELECT c.relname AS name, c.relkind::text AS kind
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition
