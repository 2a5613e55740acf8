SELECT DISTINCT a.legacy_table, a.legacy_key
FROM {archive} AS a
WHERE a.source_id = {source_id} AND a.legacy_table = ANY (%(legacy_tables)s) AND a.table_name = {table_name} AND a.withheld
