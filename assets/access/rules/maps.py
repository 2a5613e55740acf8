"""Names for what is decided in this domain: the (entity, legacy table) of the map that records it.

Belongs here: the names under which no legacy table lies, each with what its keys are. Does not belong here: how it is
decided (see roles, role_words and permissions).
"""

#: The legacy role that stands for each normalised name.
ROLE_OF_NAME = ("roles", "roles.name")
#: The role of each normalised word of users.role.
ROLE_OF_WORD = ("roles", "users.role")
#: The permission of each key that only role_meta knows.
PERMISSION_OF_WORD = ("permissions", "derived")
