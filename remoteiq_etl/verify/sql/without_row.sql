-- Legacy keys that wait, were left out, or lead to the row of another key or to none that is there.
SELECT legacy_key::text FROM {map} WHERE source_id = {source_id} AND legacy_table = {legacy_table} AND state <> 'live'
UNION
SELECT legacy_key
FROM (
    SELECT legacy_key FROM {left_out} WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table}
    UNION
    SELECT legacy_key
    FROM {quarantine}
    WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table} AND released_run IS NULL
    UNION
    SELECT legacy_key
    FROM {held}
    WHERE source_id = {source_id} AND table_name = {table_name} AND legacy_table = {legacy_table} AND released_run IS NULL
) AS w
EXCEPT
SELECT legacy_key::text FROM {map} WHERE source_id = {source_id} AND legacy_table = {legacy_table} AND state = 'live'
