"""Scored rows → a report that a desk can read: 舆情日报."""
