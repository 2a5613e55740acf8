"""Users, roles and permissions, with second factors, sessions and tokens."""
