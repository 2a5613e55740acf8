-- name: foreign_key_is_valid
SELECT k.convalidated
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND k.conname = %(name)s AND k.contype = 'f'


-- name: index_is_valid
SELECT i.indisvalid AND i.indisready
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND x.relname = %(name)s


-- name: orphans
WITH orphans AS MATERIALIZED (
    SELECT {row} AS parent
    FROM {child} AS c
    WHERE {present} AND NOT EXISTS (SELECT FROM {parent} AS p WHERE {joined})
)
SELECT (SELECT count(*) FROM orphans), ARRAY(SELECT DISTINCT parent FROM orphans ORDER BY parent LIMIT {few})
