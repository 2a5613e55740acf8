INSERT INTO {target} ({columns})
SELECT {values}
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (image jsonb)
CROSS JOIN LATERAL jsonb_populate_record(NULL::{target}, v.image) AS f
