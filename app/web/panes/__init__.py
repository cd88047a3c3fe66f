"""From what the services know to what the templates are given; one file a pane."""
