(CASE WHEN jsonb_array_length(coalesce(known.history, '[]')) < {most} THEN coalesce(known.history, '[]')
    ELSE known.history - 0 END)
