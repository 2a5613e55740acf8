-- The link that a moved one replaces goes in the transaction that writes the new one.
DELETE FROM {target} AS t
USING {map} AS m, {stage} AS s, merge_plan AS p
WHERE p._row = s._row AND p.action = 'moved' AND p._row BETWEEN %(first)s AND %(last)s
    AND m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.legacy_key = s._key AND {former}
