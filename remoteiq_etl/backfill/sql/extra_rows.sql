-- The rows of a legacy table as they are archived: the parts of the key as texts, then the values as JSON texts.
SELECT {keys}, {values} FROM {table} AS {row} WHERE {wanted}
