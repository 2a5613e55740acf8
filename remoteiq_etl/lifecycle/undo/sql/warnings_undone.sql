-- What the decisions of these loads warned of. The next run takes them, or says so, again.
DELETE FROM {decision_warnings} AS w WHERE w.source_id = %(source_id)s AND w.table_name = ANY (%(assets)s) AND {of_run}
