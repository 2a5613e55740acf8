-- An adopted row keeps what it has: only its empty values are filled. Those of another source's row are not.
UPDATE {target} AS t
SET {assignments}
FROM {stage} AS s
JOIN merge_plan AS p USING (_row)
WHERE {target_join} AND p.action = 'adopted' AND p._row BETWEEN %(first)s AND %(last)s
    AND ROW({current}) IS DISTINCT FROM ROW({filled})
    AND NOT EXISTS (
        SELECT FROM {map} AS o WHERE o.new_key = p.new_key AND o.state = 'live' AND o.source_id <> {source_id}
    )
