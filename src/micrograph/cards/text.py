"""The text side of a contrastive pair, as lenses see it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class TextTower(Protocol):
    """Texts to vectors in the space of the image tower's output.

    A model has one if its card's `text` makes one of the module; then the module's own output, the
    image's vector before normalization, is its last node.
    """

    @property
    def words(self) -> Sequence[str]:
        """What texts are made of, best for people to read: whole words for a word-level tokenizer,
        the tokens that are words, or a word list, for byte pairs."""
        ...

    @property
    def limit(self) -> int:
        """Most tokens of a text, marks of begin and end not counted."""
        ...

    def tokenize(self, text: str) -> list[int]:
        """Token numbers without marks. Raises BadInput for texts that it has no tokens for."""
        ...

    def embed(self, texts: Sequence[str]) -> "Tensor":
        """Unit vectors, float32 [text, dimension] on the CPU. Raises BadInput as `tokenize`, and
        for texts that are too long."""
        ...

    def surprise(self, text: str) -> float | None:
        """-ln p of the text under a language model of the captions, nats; None if there is none."""
        ...
