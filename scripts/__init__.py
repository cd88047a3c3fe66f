"""Tools of the project: setup, checks, vendoring, screenshots. The app imports none of them."""
