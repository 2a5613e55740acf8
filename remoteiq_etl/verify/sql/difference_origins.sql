-- Which legacy row a row of the target is, where the opinion knows of none.
UPDATE pg_temp.differences AS d
SET legacy_table = m.legacy_table, legacy_key = m.legacy_key::text
FROM {map} AS m
WHERE d.legacy_key IS NULL AND m.source_id = {source_id} AND m.state = 'live' AND m.new_key = d.key::{new_type}
