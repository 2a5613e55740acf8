-- name: all_fit
-- Fails, or is false, where a staged text is no value of its column's type.
SELECT count({value}::{type}) = count({value}) AND NOT coalesce(bool_or({too_long}), false) FROM {stage} AS s


-- name: fits
-- Whether a text is a value of a type; PostgreSQL has this from version 16 on. Only made where some text is known to be none.
CREATE OR REPLACE FUNCTION pg_temp.castable(value text, type text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT $1::%s', type) USING value;
    RETURN true;
EXCEPTION
    WHEN OTHERS THEN
        IF left(SQLSTATE, 2) = ANY ({not_about_rows}) THEN
            RAISE;
        END IF;
        RETURN false;
END
$$


-- name: uncastable
-- Takes the texts that are no values of their column's type out of the stage, so that the rest of it can be cast.
UPDATE {stage} AS s
SET {column} = NULL
WHERE {value} IS NOT NULL AND (coalesce({too_long}, false) OR NOT pg_temp.castable({value}, {type_text}))
RETURNING s._row
