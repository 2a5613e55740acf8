-- One target row without its secrets, and what we wrote to it last.
SELECT {row} AS "row", (
    SELECT m.last_written FROM {map} AS m
    WHERE m.source_id = %(source_id)s AND m.state = 'live' AND m.new_key = k.new_key::{kind}
    LIMIT 1
) AS last_written
FROM (SELECT %(key)s::text AS new_key) AS k
JOIN {target} AS t ON {joined}
