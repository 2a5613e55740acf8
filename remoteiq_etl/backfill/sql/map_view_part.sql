SELECT
    {entity}::text AS entity, m.legacy_table, m.legacy_key::text AS legacy_key, m.new_key::text AS new_key, m.rule,
    m.first_run, m.last_run, m.state, s.name AS source
FROM {map} AS m
JOIN {sources} AS s ON s.id = m.source_id
