-- Live entries of the map whose target row is not there.
SELECT m.legacy_table, m.legacy_key::text AS legacy_key, m.new_key::text AS new_key
FROM {map} AS m
WHERE m.source_id = {source_id} AND m.state = 'live' AND NOT EXISTS (SELECT FROM {target} AS t WHERE {key_join})
