"""Many enterprises, one object: registry and monthly facts, accounts rolled up, peers, anomalous reports, warnings."""
