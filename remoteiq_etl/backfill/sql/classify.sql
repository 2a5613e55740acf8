-- What is to be done with each staged row, by comparing what comes in with what was last written. Rows of which both
-- differ are 'changed' until they are compared with what is there now (compare.sql).
-- Materialised: a hash over a wide row is worked out once.
CREATE TEMPORARY TABLE merge_plan ON COMMIT DROP AS
WITH joined AS MATERIALIZED (
    SELECT
        s._row,
        s._adopted,
        {new_key} AS new_key,
        m.written_hash AS written,
        m.state AS was,
        coalesce(m.adopted, false)
            OR m.written_hash IS NULL AND (coalesce(s._adopted, false) OR {present} AND {collision} = 'adopted') AS adopted,
        {moved} AS moved,
        {present} AS present,
        {newer} AS newer,
        {wanted} AS wanted,
        {incoming_hash} AS incoming
    FROM {stage} AS s
    LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
    LEFT JOIN {target} AS t ON {target_join}
)
SELECT
    j.*,
    NULL::bytea AS current,
    NULL::text[] AS shut,
    false AS elsewhere,
    CASE
        WHEN j.written IS NULL AND j._adopted THEN 'adopted'
        WHEN j.written IS NULL AND j.present THEN {collision}
        WHEN j.written IS NULL THEN 'inserted'
        WHEN j.moved THEN 'moved'
        WHEN NOT j.present AND j.wanted THEN 'recreated'
        WHEN NOT j.present THEN 'deleted in target'
        WHEN j.written = j.incoming AND j.newer THEN 'touched'
        WHEN j.written = j.incoming THEN 'unchanged'
        ELSE 'changed'
    END AS action
FROM joined AS j
