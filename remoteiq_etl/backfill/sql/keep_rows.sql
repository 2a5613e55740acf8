-- The rows that a decide step keeps in a table of the state schema: what is new or changed is written, the rest stays as it is.
INSERT INTO {table} AS known (source_id, run_id, {columns})
SELECT {source_id}, {run_id}, {values}
FROM json_populate_recordset(NULL::{table}, %(rows)s::json) AS v
ON CONFLICT ({key}) DO UPDATE SET {assignments}, run_id = EXCLUDED.run_id
WHERE ROW({current}) IS DISTINCT FROM ROW({incoming})
