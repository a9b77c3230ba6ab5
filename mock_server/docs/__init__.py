"""The contract to look at: the document as it is, and a reference that tries requests at this mock."""
