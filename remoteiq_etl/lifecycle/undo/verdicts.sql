-- name: changed
-- The rows that a load changed or deleted and did not insert in the scope: they get back what the first of these writes found.
-- b names its table, too: a key is cast to the type of this one, and that of another table may be no such value.
INSERT INTO undoing
    (table_name, new_key, legacy_table, legacy_key, action, verdict, reason, last_run, first_image, last_image, row_hash)
SELECT
    {table_name}, f.new_key, f.legacy_table, f.legacy_key, f.action,
    CASE WHEN f.reason IS NULL THEN 'free' WHEN f.reason = 'deleted in target' THEN 'absent' ELSE 'kept' END,
    f.reason, f.last_run, f.first_image, f.last_image, f.row_hash
FROM (
    SELECT
        b.new_key, b.legacy_table, b.legacy_key, b.id AS first_image, l.id AS last_image,
        greatest(l.run_id, m.inserted_run) AS last_run,
        CASE l.operation WHEN 'delete' THEN 'insert' ELSE 'restore' END AS action,
        CASE WHEN {absent} THEN NULL ELSE {row_now} END AS row_hash,
        CASE
            WHEN NOT {in_scope} THEN 'written since by run ' || l.run_id
            WHEN m.inserted_run > l.run_id AND NOT {inserted_in_scope} THEN 'written since by run ' || m.inserted_run
            WHEN l.operation = 'delete' AND NOT {absent} THEN 'made again in target'
            WHEN l.operation = 'delete' AND b.row_hash IS NULL THEN 'its image is of an older program'
            WHEN NOT {image_columns}(b.image, b.withheld, b.sealed) <@ {live_columns} THEN 'a column that it had is gone'
            WHEN l.operation = 'delete' THEN NULL
            WHEN {absent} THEN 'deleted in target'
            WHEN l.after_hash IS NULL OR b.row_hash IS NULL THEN 'its image is of an older program'
            WHEN {row_left} <> l.after_hash OR EXISTS ({edited_between}) THEN 'edited in target'
        END AS reason
    FROM (
        SELECT i.new_key, min(i.id) AS first_id
        FROM {before_images} AS i
        WHERE i.source_id = {source_id} AND i.table_name = {table_name} AND i.undone_by IS NULL AND {of_run}
            AND (i.legacy_table IS NULL OR i.legacy_table = ANY (%(legacy_tables)s))
        GROUP BY i.new_key
    ) AS k
    JOIN {before_images} AS b ON b.id = k.first_id AND b.source_id = {source_id} AND b.table_name = {table_name}
    CROSS JOIN LATERAL (
        SELECT x.*
        FROM {before_images} AS x
        WHERE x.source_id = {source_id} AND x.table_name = {table_name} AND x.new_key = b.new_key AND x.undone_by IS NULL
        ORDER BY x.id DESC
        LIMIT 1
    ) AS l
    LEFT JOIN {map} AS m ON m.source_id = {source_id} AND m.new_key = b.new_key::{new_key_type} AND m.state = 'live'
    LEFT JOIN {target} AS t ON {row_join}
    WHERE {before_us}
) AS f
ON CONFLICT (table_name, new_key) DO NOTHING


-- name: edited_between
-- Whether one of our writes found the row otherwise than the one before had left it: somebody edited it in between, and
-- the write was about other columns. Only images of the same columns can be compared.
SELECT
FROM (
    SELECT
        i.row_hash AS found,
        lag(i.after_hash) OVER writes AS left_as,
        c.names = lag(c.names) OVER writes AS comparable,
        lag(i.id) OVER writes IS NULL AND i.last_written IS NOT NULL AS first_found_other_values
    FROM {before_images} AS i
    CROSS JOIN LATERAL (SELECT {image_columns}(i.image, i.withheld, i.sealed) AS names OFFSET 0) AS c
    WHERE i.source_id = {source_id} AND i.table_name = {table_name} AND i.new_key = {key} AND i.undone_by IS NULL AND {which}
    WINDOW writes AS (ORDER BY i.id)
) AS w
WHERE w.comparable AND w.found <> w.left_as OR {first}


-- name: held
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
            CASE WHEN k.new_key IS NOT NULL OR {managed_may_stay} THEN 'kept' ELSE 'blocked' END AS verdict,
            CASE
                WHEN k.new_key IS NOT NULL THEN 'referred to by a row that stays'
                WHEN NOT {managed} THEN 'referred to by a row that is not ours'
                WHEN {managed_may_stay} THEN 'referred to by a row of another run'
                ELSE 'referred to by a row of ours that is not in the scope'
            END AS reason
    ) AS v
    WHERE u.table_name = {table_name} AND u.verdict = 'free' AND u.action = 'delete'
        AND NOT (coalesce(k.verdict, '') = 'free' AND (k.action = 'delete' OR {lets_go}))
    ORDER BY u.new_key, v.verdict, {child_key}
) AS f
WHERE u.table_name = {table_name} AND u.verdict = 'free' AND u.new_key = f.new_key


-- name: inserted
-- The rows that a load inserted: they go, unless they are no longer as we left them. What we left is the last image's
-- row after its write, else the row as it was inserted. Where the values are not those that were last written, an earlier edit
-- may be the reason, which our later writes to other columns left alone; a door that was shut is none.
INSERT INTO undoing (table_name, new_key, legacy_table, legacy_key, action, verdict, reason, last_run, last_image, row_hash)
SELECT
    {table_name}, f.new_key, f.legacy_table, f.legacy_key, 'delete',
    CASE WHEN f.reason IS NULL THEN 'free' WHEN f.reason = 'deleted in target' THEN 'absent' ELSE 'kept' END,
    f.reason, f.last_run, f.last_image, f.row_hash
FROM (
    SELECT
        m.new_key::text AS new_key, m.legacy_table, m.legacy_key::text AS legacy_key, l.run_id AS last_run, l.id AS last_image,
        CASE WHEN {absent} THEN NULL ELSE {row_now} END AS row_hash,
        CASE
            WHEN {absent} THEN 'deleted in target'
            WHEN EXISTS (
                SELECT FROM {map} AS o WHERE o.new_key = m.new_key AND o.source_id <> m.source_id AND o.state = 'live'
            ) THEN 'shared with another source'
            WHEN NOT {in_scope} THEN 'written since by run ' || l.run_id
            WHEN NOT coalesce(
                CASE WHEN l.after_hash IS NULL THEN {written} = m.written_hash ELSE {row_left} = l.after_hash END, false
            ) OR (l.id IS NULL OR NOT l.image ?& {unwritten_names}) AND NOT {unwritten} THEN 'edited in target'
            WHEN l.id IS NOT NULL AND {written} IS DISTINCT FROM m.written_hash AND EXISTS ({edited_between}) THEN 'edited in target'
        END AS reason
    FROM {map} AS m
    LEFT JOIN {target} AS t ON {key_join}
    LEFT JOIN LATERAL (
        SELECT b.*
        FROM {before_images} AS b
        WHERE b.source_id = {source_id} AND b.table_name = {table_name} AND b.new_key = m.new_key::text
            AND b.operation <> 'delete' AND b.undone_by IS NULL AND b.run_id >= coalesce(m.inserted_run, m.first_run)
        ORDER BY b.id DESC
        LIMIT 1
    ) AS l ON {has_images}
    WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table} AND m.state IN ('live', 'deleted') AND NOT m.adopted
        AND m.written_hash IS NOT NULL AND {of_run}
) AS f


-- name: keyless
-- Rows whose former secrets are sealed with a key that is not given.
UPDATE undoing AS u
SET verdict = 'blocked', reason = 'former secrets are sealed with the key ' || b.key_id || ', which is not given'
FROM {before_images} AS b
WHERE u.verdict = 'free' AND u.action <> 'delete' AND b.source_id = {source_id} AND b.table_name = u.table_name
    AND b.new_key = u.new_key AND b.id BETWEEN u.first_image AND u.last_image AND b.undone_by IS NULL
    AND b.key_id IS NOT NULL AND b.key_id <> ALL (%(key_ids)s)


-- name: lost
-- Columns of rows that would be put back whose former value nobody has: withheld for want of a sealing key, and changed since.
-- Of several images of a row the oldest that knows of a column speaks for it.
UPDATE undoing AS u
SET lost = f.lost, verdict = {verdict}, reason = 'former secrets were not kept: ' || array_to_string(f.lost, ', ')
FROM (
    SELECT u.new_key, array_agg(c.name ORDER BY c.name) AS lost
    FROM undoing AS u
    LEFT JOIN {target} AS t ON {row_join}
    JOIN {before_images} AS b ON b.source_id = {source_id} AND b.table_name = u.table_name AND b.new_key = u.new_key
        AND b.id BETWEEN u.first_image AND u.last_image AND b.undone_by IS NULL
    CROSS JOIN LATERAL unnest(b.withheld) AS c (name)
    WHERE u.table_name = {table_name} AND u.verdict = 'free' AND u.action <> 'delete'
        AND (u.action = 'insert' OR b.hidden_hashes ->> c.name IS DISTINCT FROM encode({value_now}, 'hex'))
        AND NOT EXISTS (
            SELECT FROM {before_images} AS e
            WHERE e.source_id = b.source_id AND e.table_name = b.table_name AND e.new_key = b.new_key
                AND e.id >= u.first_image AND e.id < b.id AND e.undone_by IS NULL
                AND c.name = ANY ({image_columns}(e.image, e.withheld, e.sealed))
        )
    GROUP BY u.new_key
) AS f
WHERE u.table_name = {table_name} AND u.new_key = f.new_key


-- name: orphaned
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


-- name: taken
-- Rows that would be put back with a unique value that another row has then: one that stays as it is, or gets it back, too.
WITH formed AS MATERIALIZED (
    SELECT u.new_key, f.*
    FROM undoing AS u
    LEFT JOIN {target} AS t ON {row_join}
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(e.key, e.value ORDER BY b.id DESC) AS image
        FROM {before_images} AS b
        CROSS JOIN LATERAL jsonb_each(b.image) AS e
        WHERE b.source_id = {source_id} AND b.table_name = {table_name} AND b.new_key = u.new_key
            AND b.id BETWEEN u.first_image AND u.last_image AND b.undone_by IS NULL
    ) AS i
    CROSS JOIN LATERAL (SELECT {former_values} FROM jsonb_populate_record(t, i.image) AS p) AS f
    WHERE u.table_name = {table_name} AND u.verdict = 'free' AND u.action <> 'delete'
)
UPDATE undoing AS u
SET verdict = 'blocked', reason = 'its former value is taken: ' || {columns}, holder = {name} || w.holder
FROM (
    SELECT o.new_key, min(o.holder) AS holder
    FROM (
        SELECT f.new_key, {other_key} AS holder
        FROM formed AS f
        JOIN {target} AS t ON {same_values}
        LEFT JOIN undoing AS k ON k.table_name = {table_name} AND k.verdict = 'free' AND {other_join}
        WHERE k.new_key IS NULL
        UNION ALL
        SELECT f.new_key, g.new_key
        FROM formed AS f
        JOIN formed AS g ON {both_want} AND g.new_key <> f.new_key
    ) AS o
    GROUP BY o.new_key
) AS w
WHERE u.table_name = {table_name} AND u.new_key = w.new_key


-- name: undoing
-- What an undo would do with each target row in its scope. `row_hash`: the row as it is now, what stands outside the
-- comparison left out.
CREATE TEMPORARY TABLE undoing (
    table_name text, new_key text, legacy_table text, legacy_key text, action text, verdict text, reason text, holder text,
    last_run bigint, first_image bigint, last_image bigint, row_hash bytea, lost text[] NOT NULL DEFAULT '{{}}',
    PRIMARY KEY (table_name, new_key)
) ON COMMIT DROP
