WITH orphans AS MATERIALIZED (
    SELECT {row} AS parent
    FROM {child} AS c
    WHERE {present} AND NOT EXISTS (SELECT FROM {parent} AS p WHERE {joined})
)
SELECT (SELECT count(*) FROM orphans), ARRAY(SELECT DISTINCT parent FROM orphans ORDER BY parent LIMIT {few})
