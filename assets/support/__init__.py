"""Contacts and tickets, and what replaces the client and site that a ticket no longer has."""
