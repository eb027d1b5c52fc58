"""What every failed call raises."""

INPUT, USAGE, RESOURCE, INTERNAL = 1, 2, 3, 70


class Error(Exception):
    """One line for the user; `status` is the exit code of the command."""

    def __init__(self, message: str, status: int = INPUT):
        super().__init__(message)
        self.status = status
