"""Engines that ssmq is measured against, each in a process and, where it needs one, an environment
of its own."""
