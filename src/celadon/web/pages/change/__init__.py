"""Change: from one period to another, part by part."""
