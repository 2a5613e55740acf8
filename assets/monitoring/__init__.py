"""Checks, their assignments to devices and to the organization, and their runs."""
