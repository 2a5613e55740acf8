UPDATE {legacy_archive} AS a
SET sealed = v.sealed ->> a."column", key_id = %(key_id)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (source_id smallint, legacy_table text, legacy_key text, "column" text, sealed jsonb)
WHERE (a.source_id, a.legacy_table, a.legacy_key, a."column") = (v.source_id, v.legacy_table, v.legacy_key, v."column")
