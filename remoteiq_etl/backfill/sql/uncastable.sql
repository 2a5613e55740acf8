-- Takes the texts that are no values of their column's type out of the stage, so that the rest of it can be cast.
UPDATE {stage} AS s
SET {column} = NULL
WHERE {value} IS NOT NULL AND (coalesce({too_long}, false) OR NOT pg_temp.castable({value}, {type_text}))
RETURNING s._row
