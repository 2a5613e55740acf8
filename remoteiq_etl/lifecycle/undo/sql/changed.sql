-- The rows that a load changed or deleted and did not insert in the scope: they get back what the first of these writes found.
-- b names its table, too: a key is cast to the type of this one, and that of another table may be no such value.
INSERT INTO undoing
    (table_name, new_key, legacy_table, legacy_key, action, verdict, reason, last_run, first_image, last_image, row_hash)
SELECT
    {table_name}, f.new_key, f.legacy_table, f.legacy_key, f.action,
    CASE WHEN f.reason IS NULL THEN 'free' WHEN f.reason = 'deleted in target' THEN 'absent' ELSE 'kept' END,
    f.reason, f.last_run, f.first_image, f.last_image, f.row_hash
FROM (
    SELECT
        b.new_key, b.legacy_table, b.legacy_key, b.id AS first_image, l.id AS last_image,
        greatest(l.run_id, m.inserted_run) AS last_run,
        CASE l.operation WHEN 'delete' THEN 'insert' ELSE 'restore' END AS action,
        CASE WHEN {absent} THEN NULL ELSE {row_now} END AS row_hash,
        CASE
            WHEN NOT {in_scope} THEN 'written since by run ' || l.run_id
            WHEN m.inserted_run > l.run_id AND NOT {inserted_in_scope} THEN 'written since by run ' || m.inserted_run
            WHEN l.operation = 'delete' AND NOT {absent} THEN 'made again in target'
            WHEN l.operation = 'delete' AND b.row_hash IS NULL THEN 'its image is of an older program'
            WHEN NOT {image_columns}(b.image, b.withheld, b.sealed) <@ {live_columns} THEN 'a column that it had is gone'
            WHEN l.operation = 'delete' THEN NULL
            WHEN {absent} THEN 'deleted in target'
            WHEN l.after_hash IS NULL OR b.row_hash IS NULL THEN 'its image is of an older program'
            WHEN {row_left} <> l.after_hash OR EXISTS ({edited_between}) THEN 'edited in target'
        END AS reason
    FROM (
        SELECT i.new_key, min(i.id) AS first_id
        FROM {before_images} AS i
        WHERE i.source_id = {source_id} AND i.table_name = {table_name} AND i.undone_by IS NULL AND {of_run}
            AND (i.legacy_table IS NULL OR i.legacy_table = ANY (%(legacy_tables)s))
        GROUP BY i.new_key
    ) AS k
    JOIN {before_images} AS b ON b.id = k.first_id AND b.source_id = {source_id} AND b.table_name = {table_name}
    CROSS JOIN LATERAL (
        SELECT x.*
        FROM {before_images} AS x
        WHERE x.source_id = {source_id} AND x.table_name = {table_name} AND x.new_key = b.new_key AND x.undone_by IS NULL
        ORDER BY x.id DESC
        LIMIT 1
    ) AS l
    LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.new_key = b.new_key::{new_key_type} AND m.state = 'live'
    LEFT JOIN {target} AS t ON {row_join}
    WHERE {before_us}
) AS f
ON CONFLICT (table_name, new_key) DO NOTHING
