-- Target rows that the keys of a legacy table lead to, but for some of these, and of each column what it adds up to.
SELECT count(*), {figures}
FROM {target} AS s
WHERE EXISTS (
    SELECT FROM {map} AS m
    WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state = 'live' AND {key_join}
        AND NOT EXISTS (SELECT FROM unnest(%(without)s::text[]) AS w (key) WHERE w.key = m.legacy_key::text)
)
