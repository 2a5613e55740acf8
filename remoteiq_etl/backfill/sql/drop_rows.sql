-- What a decide step no longer keeps of this source.
DELETE FROM {table} AS known
WHERE known.source_id = {source_id}
    AND NOT EXISTS (SELECT FROM json_populate_recordset(NULL::{table}, %(rows)s::json) AS v WHERE {same_key})
