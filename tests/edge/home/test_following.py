"""What is made of the home's names is made again when they change, without a turn that waits or is lost."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np

from edge.home.following import Following, FollowingParser, FollowingRecognizer
from edge.home.live import LiveHome
from edge.types import AudioFrame, Entity, HomeState, Parse, Transcript
from tests.edge.home.waiting import eventually

LAMP = Entity("light.lamp", "Lamp")
FRAME = AudioFrame(np.zeros(512, np.int16), 16000)


class Port:
    """A home whose names a test changes."""

    def __init__(self) -> None:
        self.live = LiveHome()
        self.live.put(LAMP)
        self.snapshot = self.live.snapshot
        self.changes = self.live.take_changes

    def rename(self, name: str) -> None:
        self.live.put(replace(LAMP, name=name))

    def call(self, call: object) -> object:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Names:
    """A parser and a recognizer that say which names they were made of."""

    def __init__(self, state: HomeState) -> None:
        self.names = " ".join(entity.name for entity in state.entities)

    def parse(self, transcript: Transcript) -> Parse:
        return Parse("x", text=self.names)

    def accept(self, frame: AudioFrame) -> Transcript | None:
        return Transcript(self.names)

    def partial(self) -> Transcript:
        return Transcript(self.names)

    def finish(self) -> Transcript:
        return Transcript(self.names)


def test_the_next_parse_knows_the_new_name() -> None:
    port = Port()
    parser = FollowingParser(Following(port, Names))
    assert parser.parse(Transcript("")).text == "Lamp"
    port.rename("Chandelier")
    assert parser.parse(Transcript("")).text == "Chandelier"


def test_a_slow_index_does_not_hold_up_the_turn() -> None:
    port, begun = Port(), threading.Event()

    def make(state: HomeState) -> Names:
        if begun.is_set():
            time.sleep(4)
        return Names(state)

    parser = FollowingParser(Following(port, make))
    begun.set()
    port.rename("Chandelier")
    begun_s = time.monotonic()
    assert parser.parse(Transcript("")).text == "Lamp"
    assert time.monotonic() - begun_s < 3
    eventually(lambda: parser.parse(Transcript("")).text == "Chandelier", within_s=10)


def test_a_recognizer_changes_between_utterances_alone() -> None:
    port = Port()
    following = Following(port, Names)
    recognizer = FollowingRecognizer(following)
    recognizer.accept(FRAME)
    port.rename("Chandelier")
    assert recognizer.watch.accept(FRAME) is FRAME
    eventually(lambda: following.newest().names == "Chandelier")
    heard = recognizer.accept(FRAME)
    assert heard is not None
    assert (heard.text, recognizer.partial().text, recognizer.finish().text) == ("Lamp", "Lamp", "Lamp")
    heard = recognizer.accept(FRAME)
    assert heard is not None
    assert heard.text == "Chandelier"


def test_names_that_cannot_be_used_leave_those_before() -> None:
    port, made = Port(), []

    def make(state: HomeState) -> Names:
        made.append(state.names_version)
        if len(made) == 2:
            raise ValueError("a name that breaks it")
        return Names(state)

    parser = FollowingParser(Following(port, make))
    port.rename("Broken")
    assert parser.parse(Transcript("")).text == "Lamp"
    assert parser.parse(Transcript("")).text == "Lamp"
    assert len(made) == 2, "it is not tried again and again"
    port.rename("Chandelier")
    assert parser.parse(Transcript("")).text == "Chandelier"
