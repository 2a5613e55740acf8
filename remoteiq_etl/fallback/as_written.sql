-- name: as_written
-- A table of the target as it was when the new application was let in: rows that nobody has written since, and as they were last
-- written those that were changed or deleted. What is new is not there, nor are changed rows of a log, of which a hash alone is kept.
CREATE OR REPLACE TEMP VIEW {view} AS
SELECT t.* FROM {target} AS t WHERE NOT ({newer})
UNION ALL
SELECT r.*
FROM {map} AS m
LEFT JOIN {target} AS t ON {key_join}
CROSS JOIN LATERAL jsonb_populate_record(
    NULL::{target},
    coalesce(to_jsonb(t), '{{}}') || {key} || (m.last_written - {hidden}::text[]) || {secrets} || {unknown}::jsonb
) AS r
WHERE m.source_id = {source_id} AND m.state = 'live' AND m.last_written IS NOT NULL AND (t.{any_key} IS NULL OR {newer})
{unchanged}


-- name: unchanged
-- Rows of a log that were written again as they were.
UNION ALL
SELECT t.*
FROM {map} AS m
JOIN {target} AS t ON {key_join}
WHERE m.source_id = {source_id} AND m.state = 'live' AND m.last_written IS NULL AND {newer}
    AND m.legacy_table = {legacy_table} AND m.written_hash = {current_hash}


-- name: unmapped
CREATE OR REPLACE TEMP VIEW {view} AS SELECT t.* FROM {target} AS t WHERE NOT ({newer})


-- name: secret
-- A secret that is another one than was written is not known any more.
CASE WHEN m.last_written ->> {name} IS DISTINCT FROM encode({hash}, 'hex') THEN jsonb_build_object({name}, NULL) ELSE '{{}}' END
