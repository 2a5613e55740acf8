-- Rows that would be put back, and refer then to a row that is not there, or goes with the same undo.
UPDATE undoing AS u
SET verdict = 'blocked', reason = 'what it referred to is not there', holder = f.holder
FROM (
    SELECT u.new_key, min({parent_name} || {parent_value}) AS holder
    FROM undoing AS u
    JOIN {before_images} AS b ON b.id = u.first_image
    WHERE u.table_name = {table_name} AND u.verdict = 'free' AND u.action <> 'delete' AND {complete}
        AND NOT EXISTS (
            SELECT FROM {parent} AS p
            LEFT JOIN undoing AS k ON {parent_join} AND k.verdict = 'free' AND k.action = 'delete'
            WHERE {parent_pairs} AND k.new_key IS NULL
        )
        AND NOT EXISTS (
            SELECT FROM undoing AS k
            JOIN {before_images} AS o ON o.id = k.first_image
            WHERE k.table_name = {parent_table} AND k.verdict = 'free' AND k.action = 'insert' AND {inserted_pairs}
        )
    GROUP BY u.new_key
) AS f
WHERE u.table_name = {table_name} AND u.new_key = f.new_key
