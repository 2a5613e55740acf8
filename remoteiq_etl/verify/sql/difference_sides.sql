-- Of rows that both sides have: in which columns the target is not as last written, in which the opinion is not, in which the
-- target's time is the later one, of which columns nothing was recorded, which are never written and should be empty, and
-- whether each side as a whole is what was written.
SELECT
    d.n,
    array_remove(ARRAY[{edited}]::text[], NULL) AS edited,
    array_remove(ARRAY[{wanted}]::text[], NULL) AS wanted,
    array_remove(ARRAY[{later}]::text[], NULL) AS later,
    array_remove(ARRAY[{unrecorded}]::text[], NULL) AS unrecorded,
    array_remove(ARRAY[{foreign}]::text[], NULL) AS foreign,
    {current_hash} = m.written_hash AS as_written,
    {opinion_hash} = m.written_hash AS opinion_as_written
FROM pg_temp.differences AS d
JOIN {map} AS m ON m.source_id = {source_id} AND m.legacy_table = d.legacy_table AND m.legacy_key = d.legacy_key::{legacy_type}
JOIN {target} AS t ON {key_join}
JOIN pg_temp.expected AS e ON {origin}
WHERE d.kind = 'changed' AND d.legacy_table = {legacy_table} AND m.state = 'live'
