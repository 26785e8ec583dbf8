"""Choosers: where the scores of a gate network become a decision."""
