"""Times whole models, ours and those of peers, on this machine: each in a process of its own, turn
by turn, beside the limits that were measured in the same run."""
