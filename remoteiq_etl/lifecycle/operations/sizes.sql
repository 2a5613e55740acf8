-- name: parts
-- One row per part of what the migration takes up: bytes with indexes and TOAST, and for each legacy row of a source.
WITH relations AS (
    SELECT
        CASE
            WHEN n.nspname = %(target)s THEN 'target tables'
            WHEN c.relname ~ '^legacy_.*_map$' THEN 'identity maps'
            WHEN c.relname = 'legacy_archive' THEN 'archive'
            WHEN c.relname = 'before_images' THEN 'before images'
            ELSE 'other state'
        END AS part,
        pg_catalog.pg_total_relation_size(c.oid) AS bytes
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm')
        AND (n.nspname = %(state)s OR (n.nspname = %(target)s AND c.relname = ANY (%(tables)s)))
),
legacy AS (
    SELECT sum(rows) AS rows
    FROM (SELECT max(legacy_rows) AS rows FROM {passes} WHERE source_id = %(source_id)s GROUP BY legacy_table) AS tables
)
SELECT
    r.part, count(*)::bigint AS tables, sum(r.bytes)::bigint AS bytes,
    (sum(r.bytes) / nullif(max(l.rows), 0))::double precision AS per_row
FROM relations AS r
CROSS JOIN legacy AS l
GROUP BY r.part
ORDER BY array_position(ARRAY['target tables', 'identity maps', 'archive', 'before images', 'other state'], r.part)
