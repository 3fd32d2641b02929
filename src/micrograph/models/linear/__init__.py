"""The linear map between two nodes: a network with what is not linear replaced or held."""
