-- What is to be done with each staged row, by comparing what comes in with what was last written and what is there now.
-- Materialised step by step: a hash over a wide row is worked out once, and the one over the target only where it decides.
CREATE TEMPORARY TABLE merge_plan ON COMMIT DROP AS
WITH joined AS MATERIALIZED (
    SELECT
        s._row,
        s._adopted,
        {new_key} AS new_key,
        m.written_hash AS written,
        {present} AS present,
        {newer} AS newer,
        {incoming_hash} AS incoming
    FROM {stage} AS s
    LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key
    LEFT JOIN {target} AS t ON {target_join}
),
compared AS MATERIALIZED (
    SELECT
        j.*,
        CASE WHEN j.present AND j.written <> j.incoming THEN (
            SELECT {current_hash} FROM {target} AS t JOIN {stage} AS s ON s._row = j._row WHERE {target_join_planned}
        ) END AS current
    FROM joined AS j
)
SELECT
    c.*,
    CASE
        WHEN c.written IS NULL AND c._adopted THEN 'adopted'
        WHEN c.written IS NULL AND c.present THEN {collision}
        WHEN c.written IS NULL THEN 'inserted'
        WHEN NOT c.present THEN 'deleted in target'
        WHEN c.written = c.incoming AND c.newer THEN 'touched'
        WHEN c.written = c.incoming THEN 'unchanged'
        WHEN c.current = c.written THEN 'updated'
        WHEN c.current = c.incoming THEN 'renewed'
        ELSE 'conflict kept'
    END AS action
FROM compared AS c
