"""Figures of the findings: for files and reports, and a short drawing for Dagster's pages."""
