"""Hold live traffic to the contract: a proxy that watches what passes, and a reader of recordings."""
