-- Whether a target row is ours, and still as we wrote it.
UPDATE going AS g
SET verdict = CASE
    WHEN m.adopted THEN 'adopted'
    WHEN {absent} THEN 'was deleted in target'
    WHEN m.state = 'merged' THEN 'merged'
    WHEN {kept} THEN 'withdrawn'
    WHEN EXISTS (
        SELECT FROM {map} AS o WHERE o.new_key = m.new_key AND o.source_id <> m.source_id AND o.state = 'live'
    ) THEN 'shared with another source'
    WHEN m.written_hash IS NULL OR {current_hash} IS DISTINCT FROM m.written_hash THEN 'edited in target'
    ELSE 'free' END
FROM {map} AS m
LEFT JOIN {target} AS t ON {key_join}
WHERE g.table_name = {table_name} AND g.legacy_table = {legacy_table} AND g.verdict = 'unknown'
    AND m.source_id = {source_id} AND m.legacy_table = g.legacy_table AND m.legacy_key = g.legacy_key::{key_type}
