"""The verbs of `python -m app` beside `serve`: read options, call the work, tell how it goes."""
