"""What an operator may set: environment and remoteiq.toml, their defaults and checks, one file per table of the file.
Does not belong here: acting on a setting; any connection."""
