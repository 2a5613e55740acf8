-- name: ledger_of_deletes
-- An account that is none of the conservation law: these rows were not read.
INSERT INTO {ledger} (run_id, table_name, legacy_table, batch, primary_rows, "read", outcomes, rules, warnings, bytes)
SELECT {run_id}, {table_name}, {legacy_table}, coalesce(max(batch), 0) + 1, false, 0, %(outcomes)s, '{{}}', '{{}}', 0
FROM {ledger}
WHERE run_id = {run_id} AND table_name = {table_name} AND legacy_table = {legacy_table}


-- name: ledger
INSERT INTO {ledger}
    (run_id, table_name, legacy_table, batch, primary_rows, "read", outcomes, rules, warnings, bytes)
VALUES (
    %(run_id)s, %(table_name)s, %(legacy_table)s, %(batch)s, %(primary_rows)s, %(read)s, %(outcomes)s, %(rules)s, %(warnings)s,
    %(bytes)s
)
