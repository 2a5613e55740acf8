-- As the new application creates it.
CREATE OR REPLACE FUNCTION {schema}.set_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $function$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END;
$function$
