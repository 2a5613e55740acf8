-- The rows that one legacy row became go together or not at all.
UPDATE going AS g
SET verdict = 'goes with another row', holder = f.holder
FROM (
    SELECT k.unit, min(k.table_name || ' ' || k.new_key) AS holder
    FROM going AS k
    WHERE k.verdict NOT IN ('free', 'merged', 'was deleted in target')
    GROUP BY k.unit
) AS f
WHERE g.verdict = 'free' AND g.unit = f.unit
