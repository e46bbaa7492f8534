"""Load: what meters counted, quarter-hour by quarter-hour."""
