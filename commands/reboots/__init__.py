"""Batch reboots: asked for, approved by somebody else, carried out in waves, proven."""
