-- name: prune
WITH gone AS (
    DELETE FROM {before_images} AS b
    USING {runs} AS r
    WHERE r.id = b.run_id AND b.source_id = {source_id} AND r.finished_at < now() - make_interval(days => %(days)s)
        AND b.legacy_key IS NOT NULL AND b.table_name <> ALL (%(history)s)
        AND NOT EXISTS (
            SELECT FROM {before_images} AS a
            WHERE a.source_id = b.source_id AND a.table_name = b.table_name AND a.new_key = b.new_key AND a.operation = 'adopt'
        )
        AND EXISTS (
            SELECT FROM {before_images} AS l
            WHERE l.source_id = b.source_id AND l.table_name = b.table_name AND l.new_key = b.new_key AND l.id > b.id
        )
    RETURNING b.run_id
),
marked AS (
    UPDATE {runs} AS r
    SET images_pruned_at = now()
    WHERE r.id IN (SELECT run_id FROM gone) AND r.images_pruned_at IS NULL
)
SELECT count(*) FROM gone
