"""Balance: the conservation proof of every meter, and its named gaps."""
