"""What is proved of each family: lists of proofs, handed the rooms that they prove."""
