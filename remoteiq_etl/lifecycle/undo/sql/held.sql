-- A row that another one refers to stays, unless that one goes with it or lets it go. What the foreign key would do on its
-- own, delete or set null, does not matter: nothing is done to a row that the plan does not name.
UPDATE undoing AS u
SET verdict = f.verdict, reason = f.reason, holder = f.holder
FROM (
    SELECT DISTINCT ON (u.new_key)
        u.new_key, v.verdict, v.reason, {child_name} || {child_key} AS holder
    FROM undoing AS u
    JOIN {target} AS t ON {row_join}
    JOIN {child} AS c ON {references}
    LEFT JOIN undoing AS k ON {child_join}
    LEFT JOIN {before_images} AS b ON b.id = k.first_image
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN k.new_key IS NOT NULL OR {ours_may_stay} THEN 'kept' ELSE 'blocked' END AS verdict,
            CASE
                WHEN k.new_key IS NOT NULL THEN 'referred to by a row that stays'
                WHEN NOT {ours} THEN 'referred to by a row that is not ours'
                WHEN {ours_may_stay} THEN 'referred to by a row of another run'
                ELSE 'referred to by a row of ours that is not in the scope'
            END AS reason
    ) AS v
    WHERE u.table_name = {table_name} AND u.verdict = 'free' AND u.action = 'delete'
        AND NOT (coalesce(k.verdict, '') = 'free' AND (k.action = 'delete' OR {lets_go}))
    ORDER BY u.new_key, v.verdict, {child_key}
) AS f
WHERE u.table_name = {table_name} AND u.verdict = 'free' AND u.new_key = f.new_key
