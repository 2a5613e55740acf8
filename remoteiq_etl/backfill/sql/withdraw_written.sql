UPDATE {map} AS m
SET written_hash = {after}, last_written = m.last_written || {written}, last_run = {run_id}
FROM {target} AS t
WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state = 'live' AND NOT m.adopted
    AND {key_join} AND {affected} AND m.written_hash = {before}
