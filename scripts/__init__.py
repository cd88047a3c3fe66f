"""Tools around the project: setting up, checking, vendoring. The app imports none of them."""
