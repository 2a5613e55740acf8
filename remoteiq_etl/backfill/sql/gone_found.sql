-- Map rows of one legacy table whose key a complete read does not hold. A derived key that another key's row stands for
-- has no row of its own: it keeps nothing alive, and is no news (silent).
INSERT INTO gone_found (table_name, legacy_table, legacy_key, new_key, unit, state, silent)
SELECT {table_name}, m.legacy_table, m.legacy_key::text, m.new_key::text, m.{key}::text, m.state, {derived} AND m.state = 'merged'
FROM {map} AS m
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state IN ('live', 'merged', 'deleted')
    AND m.new_key IS NOT NULL AND m.{key} IS NOT NULL
    AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key = m.{key})
