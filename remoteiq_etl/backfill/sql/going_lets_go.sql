AND NOT EXISTS (
        SELECT FROM {map} AS o
        WHERE o.source_id = {source_id} AND o.state = 'live' AND NOT o.adopted AND {key_join} AND ({as_written})
            AND NOT EXISTS (
                SELECT FROM {gone} AS x
                WHERE x.source_id = o.source_id AND x.table_name = {table_name} AND x.legacy_table = o.legacy_table
                    AND x.legacy_key = o.legacy_key::text AND x.returned_run IS NULL
            )
    )
