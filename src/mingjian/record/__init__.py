"""What happened: the ledger, the evidence taken in, and who may see it."""
