"""Interventions: models of which something is changed while they run."""
