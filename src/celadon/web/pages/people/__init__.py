"""People: who may sign in, and what they were granted."""
