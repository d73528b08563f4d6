"""The configuration: its schema, its defaults and its cross-checks."""
