"""The gateway's side of the contract, at one gateway with small limits."""
