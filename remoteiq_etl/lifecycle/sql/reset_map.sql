-- No legacy row has an empty hash, and no target row either: what legacy gives differs from it, and so does what is there.
UPDATE {map} AS m
SET
    source_hash = NULL,
    written_hash = CASE
        WHEN m.state = 'live' AND NOT m.adopted AND EXISTS (
            SELECT FROM {target} AS t WHERE {key_join} AND {current_hash} <> m.written_hash
        ) THEN ''::bytea
        ELSE m.written_hash
    END
WHERE m.source_id = %(source_id)s AND m.legacy_table = %(legacy_table)s
    AND (%(keys)s::text[] IS NULL OR m.legacy_key::text = ANY (%(keys)s))
