-- A check has the name that it asked for, or that name with its type behind it when another check has it.
WITH named AS MATERIALIZED (
    SELECT legacy_table, legacy_key, new_key, decision ->> 'name' AS name, decision ->> 'of' AS asked
    FROM map_checks
    WHERE legacy_table IN ('checks', 'derived') AND state = 'live' AND decision ? 'of'
)

SELECT 'checks' AS table_name, n.legacy_key AS key, 'its name does not follow from the one it asked for: name' AS finding
FROM named AS n
WHERE n.name <> n.asked AND NOT (starts_with(n.name, n.asked || ' (') AND right(n.name, 1) = ')')
UNION ALL
SELECT 'checks', a.legacy_key, 'two checks are recorded with one name: name'
FROM named AS a
JOIN named AS b ON b.name = a.name AND b.new_key <> a.new_key
