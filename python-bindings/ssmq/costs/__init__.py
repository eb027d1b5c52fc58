"""How long each kernel takes on this machine: the cost table of a model."""
