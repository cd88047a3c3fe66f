"""The API for programs: one module a subject, `routes` has them all."""
