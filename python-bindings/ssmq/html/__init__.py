"""The report: sensitivity tables as one HTML page that needs no network."""
