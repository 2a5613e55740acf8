-- Rows of each legacy table as each asset last read it to the end.
SELECT table_name, legacy_table, legacy_rows FROM {passes} WHERE source_id = %(source_id)s
