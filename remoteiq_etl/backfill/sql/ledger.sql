INSERT INTO {ledger}
    (run_id, table_name, legacy_table, batch, primary_rows, "read", outcomes, rules, warnings, bytes)
VALUES (
    %(run_id)s, %(table_name)s, %(legacy_table)s, %(batch)s, %(primary_rows)s, %(read)s, %(outcomes)s, %(rules)s, %(warnings)s,
    %(bytes)s
)
