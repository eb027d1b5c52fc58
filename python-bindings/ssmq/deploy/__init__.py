"""What an assignment is for other tools: their options, configurations and checkpoints."""
