"""The tokenizer of a model's directory."""

from pathlib import Path

from .errors import Error


class Tokenizer:
    def __init__(self, directory: Path):
        # Imported late: `ssmq --help` needs no tokenizer.
        import tokenizers

        path = directory / "tokenizer.json"
        if not path.exists():
            raise Error(f"{path} is missing; texts cannot be turned into tokens")
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # The library raises plain Exception.
            raise Error(f"{path} is not a tokenizer: {error}") from None
        # A text is one long sequence here, however the model was served.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text).ids

    def decode(self, tokens: list[int]) -> str:
        return self._tokenizer.decode(tokens)

    def stream(self):
        """A function from one token to the text that is complete with it."""
        from tokenizers.decoders import DecodeStream

        decoder = DecodeStream()
        return lambda token: decoder.step(self._tokenizer, token) or ""
