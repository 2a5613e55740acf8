SELECT m.legacy_key::text AS legacy_key, m.new_key::text AS new_key
{of_table}
    AND m.new_key IS NOT NULL
    AND (
        m.state IN ('live', 'merged')
        OR m.state = 'decided' AND ({own} OR EXISTS (
            SELECT FROM {map} AS l WHERE l.source_id = m.source_id AND l.new_key = m.new_key AND l.state = 'live'
        ))
    )
