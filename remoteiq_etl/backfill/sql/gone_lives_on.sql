-- A row that several legacy rows became lives while one of them is there. Live keys are found by their index.
UPDATE {gone} AS g
SET outcome = 'lives on'
FROM {map} AS m
WHERE g.source_id = {source_id} AND g.table_name = {table_name} AND g.legacy_table = {legacy_table}
    AND g.last_run = {run_id} AND g.outcome = 'listed'
    AND m.source_id = g.source_id AND m.legacy_table = g.legacy_table AND m.legacy_key = g.legacy_key::{key_type}
    AND (EXISTS (
        SELECT FROM {map} AS o
        WHERE o.source_id = m.source_id AND o.new_key = m.new_key AND o.state = 'live'
            AND (o.legacy_table, o.legacy_key) <> (m.legacy_table, m.legacy_key)
            AND NOT EXISTS (
                SELECT FROM gone_found AS f
                WHERE f.table_name = {table_name} AND f.legacy_table = o.legacy_table AND f.legacy_key = o.legacy_key::text
            )
    ) OR EXISTS (
        SELECT FROM {map} AS o
        WHERE o.source_id = m.source_id AND o.new_key = m.new_key AND o.state = 'merged'
            AND (o.legacy_table, o.legacy_key) <> (m.legacy_table, m.legacy_key)
            AND NOT EXISTS (
                SELECT FROM gone_found AS f
                WHERE f.table_name = {table_name} AND f.legacy_table = o.legacy_table AND f.legacy_key = o.legacy_key::text
            )
    ))
