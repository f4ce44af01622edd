"""What depends on the shop's language: stems, and words that say nothing about a product."""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import Stemmer

from twotower.errors import ConfigError

NONE: Final = "none"
"""The language of a shop whose words are taken as they are written."""
DEFAULT: Final = "english"

_STOP_WORDS: Final = {
    "english": "a an and are as at be by for from has is it its of on or that the this to was with",
    "german": "der die das den dem des ein eine einen einem eines und oder mit von zu zum zur"
    " im in an am auf aus bei für fur als ist",
    "french": "le la les l un une des du de d et ou à a au aux en pour par sur avec dans est",
    "spanish": "el la los las un una unos unas y o de del al a en con por para es",
    "italian": "il lo la i gli le un uno una e o di del della dei delle da in con su per al alla",
    "portuguese": "o a os as um uma uns umas e ou de do da dos das em no na com por para ao",
    "dutch": "de het een en of van voor met op in aan uit bij te ten ter is",
    "swedish": "en ett och eller av för for med på pa i till från fran är som den det",
    "danish": "en et og eller af for med på pa i til fra er som den det",
    "norwegian": "en et ei og eller av for med på pa i til fra er som den det",
}
_own: Final = threading.local()


@dataclass(frozen=True)
class Language:
    """A Snowball stemmer and its stop words.

    Attributes:
        name: one of `languages()`.
    """

    name: str = DEFAULT

    def __post_init__(self) -> None:
        if self.name not in languages():
            raise ConfigError(
                f"language must be one of {', '.join(languages())}, got {self.name!r}:"
                f" take {NONE!r} for a shop in another one"
            )

    @property
    def stop_words(self) -> frozenset[str]:
        """Words left out of every text; none where we have no list."""
        return _stop_words(self.name)

    def stem(self, word: str) -> str:
        """The stem of a folded word."""
        return word if self.name == NONE else _stem(self.name, word)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Names that a shop may give as its language."""
    return (*Stemmer.algorithms(), NONE)


@lru_cache(maxsize=64)
def _stop_words(name: str) -> frozenset[str]:
    return frozenset(_STOP_WORDS.get(name, "").split())


@lru_cache(maxsize=131_072)
def _stem(language: str, word: str) -> str:
    stemmers = _own.__dict__  # one for each thread: it keeps a state while it works
    if language not in stemmers:
        stemmers[language] = Stemmer.Stemmer(language)
    stem: str = stemmers[language].stemWord(word)
    return stem
