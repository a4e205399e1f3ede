"""What reports: counts and tables of runs, and docs/engines.md."""
