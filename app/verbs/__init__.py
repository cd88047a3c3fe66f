"""The verbs of `python -m app` except `serve`: parse options, do the work, report progress."""
