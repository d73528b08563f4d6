"""The commands of the workflow, one a rule: `python -m workflow_scripts.<verb_noun> --help`."""
