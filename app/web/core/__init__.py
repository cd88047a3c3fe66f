"""The base of every page: services, security, errors, templates, links, event streams."""
