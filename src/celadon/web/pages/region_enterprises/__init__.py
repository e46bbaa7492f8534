"""Enterprises of a region with their grades and ranks."""
