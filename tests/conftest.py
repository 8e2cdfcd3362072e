"""Shared fixtures. One behaviour a file; patch nothing but `ecs.*`, and that rarely."""
