"""The organization, its settings and its support channels."""
