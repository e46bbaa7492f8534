"""Me: language, password, second factor and tokens of whoever is signed in."""
