-- name: aggregates_legacy
-- Rows of a legacy table but for some keys, and of each column what it adds up to.
SELECT count(*), {figures}
FROM {legacy} AS s
WHERE NOT EXISTS (SELECT FROM unnest(%(without)s::text[]) AS w (key) WHERE w.key = {key})


-- name: aggregates_target
-- Target rows that the keys of a legacy table lead to, but for some of these, and of each column what it adds up to.
SELECT count(*), {figures}
FROM {target} AS s
WHERE EXISTS (
    SELECT FROM {map} AS m
    WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state = 'live' AND {key_join}
        AND NOT EXISTS (SELECT FROM unnest(%(without)s::text[]) AS w (key) WHERE w.key = m.legacy_key::text)
)


-- name: microseconds
-- A finite time in microseconds since 1970, exact on every server: before PostgreSQL 14 an epoch is a floating point number.
date_part('epoch', date_trunc('second', {value}))::bigint * 1000000 + date_part('microseconds', {value})::bigint %% 1000000
