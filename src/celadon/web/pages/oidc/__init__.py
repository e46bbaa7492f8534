"""Signing in with an identity provider: on the way there."""
