-- Replaces the application's function of the same name. The setting is ours and local to a transaction: everyone else
-- gets the application's behaviour.
CREATE OR REPLACE FUNCTION {schema}.set_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $function$
BEGIN
    IF current_setting('remoteiq_etl.preserve_updated_at', true) = 'on' THEN
        RETURN NEW;
    END IF;
    NEW.updated_at = now();
    RETURN NEW;
END;
$function$
