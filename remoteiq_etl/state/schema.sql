-- name: image_columns
-- The columns of which a before image knows, shown or not.
CREATE OR REPLACE FUNCTION {function}(image jsonb, withheld text[], sealed jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(DISTINCT c.name ORDER BY c.name) FROM (
        SELECT jsonb_object_keys(image)
        UNION ALL SELECT unnest(withheld)
        UNION ALL SELECT jsonb_object_keys(sealed)
    ) AS c (name)
$$


-- name: movements_opening
-- The book begins with what is there of each source, and with nothing where nothing is: what is older is in the ledger alone.
INSERT INTO {movements} (source_id, table_name, run_id, cause, "rows", change)
SELECT s.id, {table_name}, (SELECT max(r.id) FROM {runs} AS r WHERE r.source_id = s.id), 'opening', count(m.source_id), count(m.source_id)
FROM {sources} AS s
LEFT JOIN {map} AS m ON m.source_id = s.id AND m.state = 'live'
GROUP BY s.id


-- name: picked
-- Of a row as JSON: these columns, without some.
CREATE OR REPLACE FUNCTION {function}("row" jsonb, columns text[], without text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(c.name, "row" -> c.name) FROM unnest(columns) AS c (name) WHERE c.name <> ALL (without)
$$


-- name: redacted
-- A JSON value in which every key that names a secret has lost its value.
CREATE OR REPLACE FUNCTION {function}(value jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF jsonb_typeof(value) = 'object' THEN
        RETURN (
            SELECT coalesce(jsonb_object_agg(pair.key, CASE
                WHEN pair.key COLLATE "C" ~* 'password|secret|token|key|credential' THEN '"[redacted]"'::jsonb
                ELSE {function}(pair.value) END), '{{}}'::jsonb)
            FROM jsonb_each(value) AS pair
        );
    ELSIF jsonb_typeof(value) = 'array' THEN
        RETURN (SELECT coalesce(jsonb_agg({function}(item.value) ORDER BY item.ordinality), '[]'::jsonb)
            FROM jsonb_array_elements(value) WITH ORDINALITY AS item);
    END IF;
    RETURN value;
END
$$


-- name: stages_opening
-- Where a source stands whose runs were those of an older program: in step where the last one succeeded and every table that
-- has a map was completed; loading otherwise. What was verified then is verified again: that is soon done, and nothing is
-- taken for granted. A source without a run has no stage.
WITH last AS (
    SELECT DISTINCT ON (r.source_id) r.source_id, r.id AS run_id,
        r.status = 'succeeded' AND NOT EXISTS (
            SELECT FROM unnest(%(entities)s::text[]) AS e (name)
            WHERE NOT EXISTS (SELECT FROM {assets} AS a WHERE a.source_id = r.source_id AND a.table_name = e.name)
        ) AS complete
    FROM {runs} AS r
    WHERE r.status <> 'plan'
    ORDER BY r.source_id, r.id DESC
), opened AS (
    INSERT INTO {stages} (source_id, stage, reason, run_id)
    SELECT source_id, CASE WHEN complete THEN 'in step' ELSE 'loading' END, 'derived from what an older program left', run_id
    FROM last
    RETURNING source_id, stage, at, reason, run_id
)
INSERT INTO {stage_history} (source_id, stage, at, reason, run_id)
SELECT source_id, stage, at, reason, run_id FROM opened
