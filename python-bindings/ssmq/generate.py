"""`ssmq run`: a text that the model writes."""

from collections.abc import Callable

from .errors import Error
from .model import Model
from .program import Program
from .tokenizer import Tokenizer


def write(model: Model, program: Program, prompt: str, num_tokens: int, temperature: float,
          seed: int, emit: Callable[[str], None]) -> list[int]:
    """Hands the text to `emit` piece by piece; ends at a token that ends texts."""
    tokenizer = Tokenizer(model.directory)
    tokens = tokenizer.encode(prompt)
    if not tokens:
        raise Error("the prompt is empty; give at least one word")
    decode, ends = tokenizer.stream(), model.end_tokens
    emit(prompt)

    def on_token(token: int) -> bool:
        if token in ends:
            return False
        emit(decode(token))
        return True

    return program.generate(tokens, num_tokens, temperature, seed, on_token)
