-- Columns of rows that would be put back whose former value nobody has: withheld for want of a sealing key, and changed since.
-- Of several images of a row the oldest that knows of a column speaks for it.
UPDATE undoing AS u
SET lost = f.lost, verdict = {verdict}, reason = 'former secrets were not kept: ' || array_to_string(f.lost, ', ')
FROM (
    SELECT u.new_key, array_agg(c.name ORDER BY c.name) AS lost
    FROM undoing AS u
    LEFT JOIN {target} AS t ON {row_join}
    JOIN {before_images} AS b ON b.source_id = {source_id} AND b.table_name = u.table_name AND b.new_key = u.new_key
        AND b.id BETWEEN u.first_image AND u.last_image AND b.undone_by IS NULL
    CROSS JOIN LATERAL unnest(b.withheld) AS c (name)
    WHERE u.table_name = {table_name} AND u.verdict = 'free' AND u.action <> 'delete'
        AND (u.action = 'insert' OR b.hidden_hashes ->> c.name IS DISTINCT FROM encode({value_now}, 'hex'))
        AND NOT EXISTS (
            SELECT FROM {before_images} AS e
            WHERE e.source_id = b.source_id AND e.table_name = b.table_name AND e.new_key = b.new_key
                AND e.id >= u.first_image AND e.id < b.id AND e.undone_by IS NULL
                AND c.name = ANY ({image_columns}(e.image, e.withheld, e.sealed))
        )
    GROUP BY u.new_key
) AS f
WHERE u.table_name = {table_name} AND u.new_key = f.new_key
