-- What an undo would do with each target row in its scope. `row_hash`: the row as it is now, what stands outside the
-- comparison left out.
CREATE TEMPORARY TABLE undoing (
    table_name text, new_key text, legacy_table text, legacy_key text, action text, verdict text, reason text, holder text,
    last_run bigint, first_image bigint, last_image bigint, row_hash bytea, lost text[] NOT NULL DEFAULT '{{}}',
    PRIMARY KEY (table_name, new_key)
) ON COMMIT DROP
