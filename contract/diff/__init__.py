"""What a change of the contract means: for a client, for an implementation, for the money."""
