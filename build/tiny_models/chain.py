"""Which piece follows which two pieces: the whole knowledge of a tiny model, counted from its corpus.

Pieces with the same behaviour share a *state*. State 0 is everything that no sentence contains: single characters,
beginnings of words. A *rule* maps the current state, or the last two, to the probabilities of the next state.
"""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Iterable, Mapping

from tiny_models import corpus
from tiny_models.vocabulary import (
    CALL_END,
    CALL_START,
    NEWLINE,
    SPACE,
    TAB,
    THINK_END,
    THINK_START,
    TURN_END,
    split_pieces,
)

OTHER = "other"
LETTER = "letter"
DIGIT = "digit"
_SHARED = dict.fromkeys(string.ascii_lowercase + "_", LETTER) | dict.fromkeys(string.digits, DIGIT)

#: The first answer is told this many times as often as the others, so that it is the one at temperature 0.
FIRST_WEIGHT = 3.0
#: How often an answer goes on with another paragraph instead of ending. Below one half, so the likeliest is to end.
CONTINUE = 0.15

# Just likely enough that a grammar which forbids everything else leads to short JSON, never seen in free text.
_JSON_RARE = {"{": 1e-3, '"': 5e-4, DIGIT: 3e-4, "}": 2e-4}
_JSON_BY_STATE: dict[str, dict[str, float]] = {
    "{": {'"': 0.9, "}": 0.1},
    "}": {CALL_END: 0.5, "}": 0.3, TURN_END: 0.2},
    LETTER: {'"': 0.7, LETTER: 0.3},
    DIGIT: {"}": 0.6, ",": 0.2, DIGIT: 0.2},
}
_JSON_BY_PAIR: dict[tuple[str, str], dict[str, float]] = {
    (LETTER, '"'): {"}": 0.4, ":": 0.4, ",": 0.2},
    ('"', ":"): {'"': 0.6, DIGIT: 0.3, "{": 0.1},
    ('"', ","): {'"': 1.0},
    (DIGIT, ","): {'"': 1.0},
}

# A follower at least this likely is also allowed after a pair of states that the corpus never shows.
_USUAL = 0.01

Distribution = dict[str, float]
Counts = defaultdict[str, float]


class Chain:
    """Rules by state and by pair of states. `states` lists them in order; the position is the state's number."""

    def __init__(self, answers: Iterable[str], thoughts: Iterable[str]) -> None:
        self._by_state: defaultdict[str, Counts] = defaultdict(_no_counts)
        self._by_pair: defaultdict[tuple[str, str], Counts] = defaultdict(_no_counts)
        self._learn_answers([split_pieces(paragraph) for paragraph in answers])
        self._learn_thoughts([split_pieces(paragraph) for paragraph in thoughts])
        self._learn_tools_and_json()
        known = {state for pair in self._by_pair for state in pair} | set(self._by_state)
        followers = {state for follow in (*self._by_state.values(), *self._by_pair.values()) for state in follow}
        self.states: tuple[str, ...] = (OTHER, *sorted((known | followers) - {OTHER}))

    def state_of(self, piece: str) -> int:
        """The number of the state in which a model is after `piece`."""
        name = _SHARED.get(piece, piece)
        return self.states.index(name) if name in self.states else 0

    def rules(self) -> tuple[dict[str, Distribution], dict[tuple[str, str], Distribution]]:
        """Next-state probabilities for every state, and for every pair where the earlier state makes a difference."""
        pairs = {pair: _normalized(follow) for pair, follow in self._by_pair.items()}
        by_current: defaultdict[str, list[Distribution]] = defaultdict(list)
        for (_, current), follow in pairs.items():
            by_current[current].append(follow)
        ambiguous = {current for current, follows in by_current.items() if any(f != follows[0] for f in follows)}
        singles: dict[str, Distribution] = {}
        for state in self.states:
            own = _normalized(self._by_state[state]) if state in self._by_state else {}
            seen = {name: 1.0 for follow in by_current[state] for name, p in follow.items() if p > _USUAL}
            if state in ambiguous:
                singles[state] = _normalized(own | seen)
            else:
                singles[state] = own or (by_current[state][0] if by_current[state] else self._starts)
        return singles, {pair: follow for pair, follow in pairs.items() if pair[1] in ambiguous}

    def _learn_answers(self, paragraphs: list[list[str]]) -> None:
        starts = _no_counts()
        for number, pieces in enumerate(paragraphs):
            weight = 1.0 if number else FIRST_WEIGHT
            starts[pieces[0]] += weight
            self._learn_sequence([NEWLINE, *pieces], weight)
            self._by_pair[pieces[-2], pieces[-1]][TURN_END] += weight * (1 - CONTINUE)
            self._by_pair[pieces[-2], pieces[-1]][NEWLINE] += weight * CONTINUE
            self._by_pair[pieces[-1], NEWLINE][NEWLINE] += weight
        self._starts = _normalized(starts)
        opening = self._starts | _JSON_RARE
        for before in (LETTER, NEWLINE):
            self._by_pair[before, NEWLINE].update(opening)
        self._by_state[OTHER].update(opening)
        self._by_state[THINK_END].update(self._starts)

    def _learn_thoughts(self, paragraphs: list[list[str]]) -> None:
        answered = {state for pair in self._by_pair for state in pair}
        shared = {piece for pieces in paragraphs for piece in pieces if piece[-1].isalpha()} & answered
        if shared:
            message = f"words both in thoughts and in answers: {sorted(shared)}"
            raise ValueError(message)
        for pieces in paragraphs:
            self._by_state[THINK_START][pieces[0]] += 1
            self._learn_sequence([THINK_START, *pieces], 1.0)
            self._by_pair[pieces[-2], pieces[-1]][THINK_END] += 1

    def _learn_tools_and_json(self) -> None:
        self._by_state[TAB][CALL_START] = 1
        self._by_state[CALL_START][NEWLINE] = 1
        self._by_pair[CALL_START, NEWLINE]["{"] = 1
        self._by_state[CALL_END][TURN_END] = 1
        for state, follow in _JSON_BY_STATE.items():
            self._by_state[state].update(follow)
        for before in ("{", ",", ":", SPACE, OTHER):
            self._by_pair[before, '"'].update({LETTER: 0.9, '"': 0.1})
        for pair, follow in _JSON_BY_PAIR.items():
            self._by_pair[pair].update(follow)

    def _learn_sequence(self, pieces: list[str], weight: float) -> None:
        for before, current, after in zip(pieces, pieces[1:], pieces[2:], strict=False):
            self._by_pair[before, current][after] += weight


def _no_counts() -> Counts:
    return defaultdict(float)


def _normalized(follow: Mapping[str, float]) -> Distribution:
    total = sum(follow.values())
    return {name: count / total for name, count in sorted(follow.items())}


def default_chain() -> Chain:
    """The chain that all the writing test models share."""
    return Chain(corpus.ANSWERS, corpus.THOUGHTS)
