"""What every page stands on: services, security, errors, templates, links, streams."""
