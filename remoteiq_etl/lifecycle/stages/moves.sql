-- name: wrote
SELECT EXISTS (SELECT FROM ({written}) AS w WHERE w.run_id = %(run_id)s)


-- name: settled
-- Whether every one of these assets was completed, and no run that wrote something has ended early since the first of them was.
SELECT count(*) = cardinality(%(assets)s::text[]) AND NOT EXISTS (
    SELECT FROM {runs} AS r
    WHERE r.source_id = %(source_id)s AND r.status NOT IN ('succeeded', 'plan') AND r.id <> %(run_id)s AND r.id > min(a.run_id)
      AND EXISTS (SELECT FROM ({written}) AS w WHERE w.run_id = r.id)
)
FROM {assets} AS a
WHERE a.source_id = %(source_id)s AND a.table_name = ANY (%(assets)s) AND a.fingerprint <> %(forgotten)s


-- name: verdicts
-- How many tables have a verdict that speaks against the migration or says nothing, and how many of these tables have none, or
-- one from before the last rows that a run has written to them.
SELECT
    (SELECT count(*) FROM {verifications} WHERE source_id = %(source_id)s AND (bugs > 0 OR status <> 'verified')),
    (
        SELECT count(*) FROM unnest(%(tables)s::text[]) AS t (name)
        WHERE NOT EXISTS (
            SELECT FROM {verifications} AS v
            WHERE v.source_id = %(source_id)s AND v.table_name = t.name AND NOT EXISTS (
                SELECT FROM ({written}) AS w
                JOIN {runs} AS r ON r.id = w.run_id
                WHERE r.source_id = %(source_id)s AND w.table_name = t.name AND w.written_at > v.confirmed_at
            )
        )
    )
