"""What everybody may see of a region."""
