-- Rows that would be put back with a unique value that another row has then: one that stays as it is, or gets it back, too.
WITH formed AS MATERIALIZED (
    SELECT u.new_key, f.*
    FROM undoing AS u
    LEFT JOIN {target} AS t ON {row_join}
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(e.key, e.value ORDER BY b.id DESC) AS image
        FROM {before_images} AS b
        CROSS JOIN LATERAL jsonb_each(b.image) AS e
        WHERE b.source_id = {source_id} AND b.table_name = {table_name} AND b.new_key = u.new_key
            AND b.id BETWEEN u.first_image AND u.last_image AND b.undone_by IS NULL
    ) AS i
    CROSS JOIN LATERAL (SELECT {former_values} FROM jsonb_populate_record(t, i.image) AS p) AS f
    WHERE u.table_name = {table_name} AND u.verdict = 'free' AND u.action <> 'delete'
)
UPDATE undoing AS u
SET verdict = 'blocked', reason = 'its former value is taken: ' || {columns}, holder = {name} || w.holder
FROM (
    SELECT o.new_key, min(o.holder) AS holder
    FROM (
        SELECT f.new_key, {other_key} AS holder
        FROM formed AS f
        JOIN {target} AS t ON {same_values}
        LEFT JOIN undoing AS k ON k.table_name = {table_name} AND k.verdict = 'free' AND {other_join}
        WHERE k.new_key IS NULL
        UNION ALL
        SELECT f.new_key, g.new_key
        FROM formed AS f
        JOIN formed AS g ON {both_want} AND g.new_key <> f.new_key
    ) AS o
    GROUP BY o.new_key
) AS w
WHERE u.table_name = {table_name} AND u.new_key = w.new_key
