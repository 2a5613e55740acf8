-- A row that another one refers to stays, unless that one goes with it. What the foreign key would do does not matter.
UPDATE going AS g
SET verdict = 'referred to', holder = f.holder
FROM (
    SELECT g.new_key, min({child_name} || {child_key}) AS holder
    FROM going AS g
    JOIN {target} AS t ON {row_join}
    JOIN {child} AS c ON {references}
    WHERE g.table_name = {table_name} AND g.verdict = 'free' {unless}
    GROUP BY g.new_key
) AS f
WHERE g.table_name = {table_name} AND g.verdict = 'free' AND g.new_key = f.new_key
