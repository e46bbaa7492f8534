"""Facts: files, uploads, records entered by hand, the history of each fact."""
