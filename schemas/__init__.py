"""Every table of the legacy and of the redesigned schema, each written down once, as SQLAlchemy Core.

Belongs here: tables, enums, and the DDL made from them (`schemas.ddl`). Does not belong here: what a value means, where
it goes, and anything that talks to a database.
"""
