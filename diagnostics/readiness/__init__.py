"""Readiness: what would be missing if this machine crashed tonight.

`checks`, `linux`, `windows` and `fixes` are pure: what a machine printed -> facts -> checks. The
rest asks a fleet, keeps one row per instance, and shows them.
"""
