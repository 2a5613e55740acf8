-- name: movement
INSERT INTO {movements} (source_id, table_name, run_id, undo_id, cause, "rows", change)
VALUES (%s, %s, %s, %s, %s, %s, %s)


-- name: movements_of_plan
-- What a merged batch has moved: each key was live or not before, and is or is not now. That a row was made or adopted is told
-- in any case, as the ledger tells it; a key without an entry stays one where nothing was written for it.
INSERT INTO {movements} (source_id, table_name, run_id, cause, "rows", change)
SELECT {source_id}, {table_name}, {run_id}, m.cause, count(*), sum(m.change)
FROM (
    SELECT
        CASE
            WHEN p.action IN ('inserted', 'recreated', 'adopted', 'deleted in target') THEN p.action
            ELSE 'found again'
        END AS cause,
        CASE
            WHEN p.action = 'deleted in target' THEN -(p.was = 'live')::int
            WHEN p.was = 'live' THEN 0
            WHEN p.action IN ('inserted', 'recreated', 'moved', 'adopted', 'updated', 'taken', 'renewed', 'kept', 'touched', 'rekeyed') THEN 1
            WHEN p.action IN ('unchanged', 'conflict kept') AND p.was <> '' THEN 1
            ELSE 0
        END AS change
    FROM (SELECT action, coalesce(was, '') AS was FROM merge_plan) AS p
) AS m
WHERE m.change <> 0 OR m.cause IN ('inserted', 'recreated', 'adopted')
GROUP BY m.cause
