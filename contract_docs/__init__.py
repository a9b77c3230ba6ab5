"""The documentation site: pages made from the contract and nothing else, with examples that were run."""
