-- name: newer_rows
-- The number of the question, the rows of a legacy table, how many of them are newer than a horizon, and where the first of these lie.
SELECT {number}, count(*), count(*) FILTER (WHERE {newer}), (array_agg(l.ctid::text) FILTER (WHERE {newer}))[1:{most}]
FROM {table} AS l


-- name: relations
-- The tables of a schema that consist of one relation, and whether each is small.
SELECT relname, pg_relation_size(oid) <= %(small)s
FROM pg_class
WHERE relnamespace = %(schema)s::regnamespace AND relkind = 'r' AND NOT relhassubclass
