-- Whether a text is a value of a type; PostgreSQL has this from version 16 on. Only made where some text is known to be none.
CREATE OR REPLACE FUNCTION pg_temp.castable(value text, type text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT $1::%s', type) USING value;
    RETURN true;
EXCEPTION
    WHEN data_exception OR integrity_constraint_violation THEN RETURN false;
END
$$
