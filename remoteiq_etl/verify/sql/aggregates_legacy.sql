-- Rows of a legacy table but for some keys, and of each column what it adds up to.
SELECT count(*), {figures}
FROM {legacy} AS s
WHERE NOT EXISTS (SELECT FROM unnest(%(without)s::text[]) AS w (key) WHERE w.key = {key})
