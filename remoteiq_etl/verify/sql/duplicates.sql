-- Rows that share with another one what must be unique.
SELECT {key} AS key
FROM {target} AS t
JOIN (
    SELECT {columns}
    FROM {target}
    WHERE {is_set}
    GROUP BY {columns}
    HAVING count(*) > 1
) AS d USING ({columns})
LIMIT {most}
