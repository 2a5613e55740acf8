-- Mapped rows of these legacy tables that are ours and still as we wrote them.
SELECT m.legacy_table, m.legacy_key::text, m.owner_key
FROM {map} AS m
JOIN {target} AS t ON {key_join}
WHERE m.source_id = {source_id} AND m.state = 'live' AND NOT m.adopted AND m.legacy_table = ANY (%s)
    AND NOT EXISTS (
        SELECT FROM jsonb_each(m.last_written) AS w WHERE {redacted}(to_jsonb(t) -> w.key) IS DISTINCT FROM w.value
    )
    {unreferenced}
