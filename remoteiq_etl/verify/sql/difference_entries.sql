-- What the map says of each row that differs, and whether the row that it leads to is there.
SELECT
    d.n,
    d.legacy_table,
    m.last_run,
    m.new_key::text AS new_key,
    m.rule,
    m.state,
    m.adopted,
    EXISTS (SELECT FROM {target} AS t WHERE {key_join}) AS is_there,
    m.last_run > m.first_run AS renewed,
    m.first_run < {completed_run} AS outlived
FROM pg_temp.differences AS d
JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = d.legacy_table AND m.legacy_key = d.legacy_key::{legacy_type}
