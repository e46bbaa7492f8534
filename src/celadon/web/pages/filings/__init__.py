"""The page of a plant's filings."""
