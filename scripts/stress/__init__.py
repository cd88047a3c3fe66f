"""Attack a server of this script's own, on this machine only, and say what held.

`python -m scripts.stress` starts servers, troubles them, and prints a table; see
`docs/reliability.md`.
"""
