"""Clients, sites, devices, agents and the software found on them."""
