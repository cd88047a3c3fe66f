"""The JSON API for programs: one module for each subject, all included by `routes`."""
