-- rows: agent_software
-- reads: agents(id, created_at, updated_at, last_seen_at)
-- each row: agents by agent_id
-- not compared: install_location, uninstall_command: no legacy source
-- not compared: created_at: updated_at at the time of the insert, which later runs do not move
-- carried from agent_software: name, publisher, version
WITH told AS (
    SELECT DISTINCT install_date AS word, pg_temp.tidy(install_date) AS text FROM legacy_agent_software
    WHERE install_date IS NOT NULL
),

-- Year, month, day, hour, minute, second, fraction, zone; of a date alone only the first three.
parts AS MATERIALIZED (
    SELECT
        word,
        CASE
            WHEN text ~ '^[0-9]{8}$' THEN ARRAY[left(text, 4), substr(text, 5, 2), right(text, 2)]
            WHEN text ~ '^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$'
                THEN ARRAY[split_part(text, '/', 3), split_part(text, '/', 1), split_part(text, '/', 2)]
            -- Colons stand between all parts of a clock and of a zone, or between none of them.
            WHEN text ~ '[T t][0-9]{2}(:[0-9]{2}[0-9]|[0-9]{2}:)' OR text ~ '[+-][0-9]{2}(:[0-9]{2}[0-9]|[0-9]{2}:)[0-9]*$' THEN NULL
            ELSE regexp_match(
                upper(text COLLATE "C"),
                '^([0-9]{4})-([0-9]{2})-([0-9]{2})'
                || '(?:[T ]([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,]([0-9]+))?)?'
                || '(Z|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)?)?$'
            )
        END AS part
    FROM told
),

numbers AS (
    SELECT
        word,
        part[1]::int AS year,
        part[2]::int AS month,
        part[3]::int AS day,
        coalesce(part[4], '0')::int AS hour,
        coalesce(part[5], '0')::int AS minute,
        (coalesce(part[6], '0') || '.' || coalesce(left(part[7], 6), '0'))::numeric AS second,
        CASE left(part[8], 1) WHEN '+' THEN 1 WHEN '-' THEN -1 ELSE 0 END AS sign,
        coalesce(nullif(substr(part[8], 2, 2), ''), '0')::int AS zone_hours,
        coalesce(nullif(substr(replace(part[8], ':', ''), 4, 2), ''), '0')::int AS zone_minutes,
        coalesce(nullif(substr(replace(part[8], ':', ''), 6, 2), ''), '0')::int AS zone_seconds
    FROM parts
    WHERE part IS NOT NULL
),

-- What is no date stays null here: of two conditions beside each other either may be tried first.
real AS MATERIALIZED (
    SELECT
        word,
        CASE
            WHEN year NOT BETWEEN 1969 AND 2101 OR month NOT BETWEEN 1 AND 12 OR day < 1 THEN NULL
            WHEN hour > 23 OR minute > 59 OR second >= 60 OR zone_hours > 23 OR zone_minutes > 59 OR zone_seconds > 59 THEN NULL
            WHEN day > extract(DAY FROM make_date(year, month, 1) + interval '1 month - 1 day') THEN NULL
            ELSE
                make_timestamptz(year, month, day, hour, minute, second::double precision, 'UTC')
                - sign * make_interval(hours => zone_hours, mins => zone_minutes, secs => zone_seconds)
        END AS at
    FROM numbers
    UNION ALL
    SELECT
        word,
        CASE
            WHEN text ~ '^[0-9]{9,10}$' THEN timestamptz 'epoch' + text::bigint * interval '1 second'
            WHEN text ~ '^[0-9]{12,13}$' THEN timestamptz 'epoch' + text::bigint * interval '1 millisecond'
        END
    FROM told
)

SELECT
    'agent_software' AS _legacy_table,
    l.id AS _legacy_key,
    m.new_key AS id,
    a.new_key AS agent_id,
    l.name,
    l.publisher,
    l.version,
    r.at AS install_date,
    coalesce(l.updated_at, parent.created_at, least(parent.updated_at, parent.last_seen_at)) AS updated_at
FROM legacy_agent_software AS l
LEFT JOIN map_agent_software AS m ON m.legacy_key = l.id
LEFT JOIN legacy_agents AS parent ON parent.id = l.agent_id
LEFT JOIN map_agents AS a ON a.legacy_table = 'agents' AND a.legacy_key::bigint = l.agent_id
LEFT JOIN real AS r ON r.word = l.install_date AND extract(YEAR FROM r.at AT TIME ZONE 'UTC') BETWEEN 1970 AND 2100
