-- The rows that a load inserted: they go, unless they are no longer as we left them. What we left is the last image's
-- row after its write, else the row as it was inserted. Where the values are not those that were last written, an earlier edit
-- may be the reason, which our later writes to other columns left alone; a door that was shut is none.
INSERT INTO undoing (table_name, new_key, legacy_table, legacy_key, action, verdict, reason, last_run, last_image, row_hash)
SELECT
    {table_name}, f.new_key, f.legacy_table, f.legacy_key, 'delete',
    CASE WHEN f.reason IS NULL THEN 'free' WHEN f.reason = 'deleted in target' THEN 'absent' ELSE 'kept' END,
    f.reason, f.last_run, f.last_image, f.row_hash
FROM (
    SELECT
        m.new_key::text AS new_key, m.legacy_table, m.legacy_key::text AS legacy_key, l.run_id AS last_run, l.id AS last_image,
        CASE WHEN {absent} THEN NULL ELSE {row_now} END AS row_hash,
        CASE
            WHEN {absent} THEN 'deleted in target'
            WHEN EXISTS (
                SELECT FROM {map} AS o WHERE o.new_key = m.new_key AND o.source_id <> m.source_id AND o.state = 'live'
            ) THEN 'shared with another source'
            WHEN NOT {in_scope} THEN 'written since by run ' || l.run_id
            WHEN NOT coalesce(
                CASE WHEN l.after_hash IS NULL THEN {written} = m.written_hash ELSE {row_left} = l.after_hash END, false
            ) OR (l.id IS NULL OR NOT l.image ?& {unwritten_names}) AND NOT {unwritten} THEN 'edited in target'
            WHEN l.id IS NOT NULL AND {written} IS DISTINCT FROM m.written_hash AND EXISTS ({edited_between}) THEN 'edited in target'
        END AS reason
    FROM {map} AS m
    LEFT JOIN {target} AS t ON {key_join}
    LEFT JOIN LATERAL (
        SELECT b.*
        FROM {before_images} AS b
        WHERE b.source_id = {source_id} AND b.table_name = {table_name} AND b.new_key = m.new_key::text
            AND b.operation <> 'delete' AND b.undone_by IS NULL AND b.run_id >= coalesce(m.inserted_run, m.first_run)
        ORDER BY b.id DESC
        LIMIT 1
    ) AS l ON {has_images}
    WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state IN ('live', 'deleted') AND NOT m.adopted
        AND m.written_hash IS NOT NULL AND {of_run}
) AS f
