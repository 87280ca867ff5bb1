"""The home's names in utterances: exact, misspelt, inflected, glued and nested."""

from __future__ import annotations

import pytest

from edge.nlu.matching import DOMAINS, FEATURES, HomeIndex
from edge.types import Area, Entity, Floor, Home

HOME = Home(
    areas=(Area("kitchen", "Kitchen"), Area("schlafzimmer", "Schlafzimmer"), Area("sukalde", "Sukalde")),
    floors=(Floor("up", "Upstairs"),),
    entities=(
        Entity("light.lamp", "Kitchen Lamp", aliases=("work light",)),
        Entity("light.bed", "Schlafzimmerlampe"),
        Entity("media_player.tv", "TV"),
        Entity("light.cn", "厨房灯"),
    ),
)
INDEX = HomeIndex(HOME, {"fifty", "five"})


def names(text: str) -> dict[str, float]:
    tokens = INDEX.tokens(text)
    return {match.part.id: match.score for match in INDEX.matches(tokens)}


def test_exact_names_and_aliases_match_in_any_case() -> None:
    assert names("turn on the KITCHEN LAMP")["light.lamp"] == 1.0
    assert names("the work light please")["light.lamp"] == 1.0


def test_a_misspelt_name_matches_with_a_lower_score() -> None:
    assert 0.8 <= names("turn on the kitchan lamp")["light.lamp"] < 1.0


def test_other_words_do_not_match() -> None:
    assert names("what is the weather tomorrow") == {}


def test_a_glued_particle_is_cut_off() -> None:
    assert [token.text for token in INDEX.tokens("sukaldeko argia")][:2] == ["sukalde", "ko"]
    assert names("sukaldeko argia")["sukalde"] == 1.0


def test_a_room_inside_a_whole_name_is_not_cut_out() -> None:
    assert [token.text for token in INDEX.tokens("die Schlafzimmerlampe")] == ["die", "Schlafzimmerlampe"]


def test_names_inside_unspaced_text() -> None:
    assert names("打开厨房灯")["light.cn"] == 1.0


def test_features_say_where_and_what() -> None:
    tokens = INDEX.tokens("set the kitchen lamp to fifty 5")
    grid = INDEX.features(tokens, INDEX.matches(tokens))
    assert grid.shape == (7, FEATURES)
    light = DOMAINS.index("light")
    assert grid[2, light] == grid[3, light] == 1.0
    assert grid[0].sum() == 0.0
    assert grid[5, FEATURES - 1] == grid[6, FEATURES - 1] == 1.0


def test_a_name_is_not_found_by_the_word_that_it_ends_with() -> None:
    index = HomeIndex(Home(entities=(Entity("light.bath", "Badlicht"), Entity("light.hall", "Flurlicht"))))
    assert index.matches(index.tokens("mach das licht an")) == []
    assert [match.part.id for match in index.matches(index.tokens("mach das badlich an"))] == ["light.bath"]


def test_a_word_with_a_meaning_of_its_own_is_a_name_only_where_it_is_nearly_that_name() -> None:
    home = Home(
        (Area("hall", "Hall", ("Hallway",)),), (), (Entity("cover.w", "Window"), Entity("button.d", "Doorbell"))
    )
    index = HomeIndex(home, value_words=("half", "halfway", "windows", "doors"))
    assert index.matches(index.tokens("doors halfway at half speed")) == []
    assert [match.part.id for match in index.matches(index.tokens("close the windows"))] == ["cover.w"]
    assert {match.part.id for match in index.matches(index.tokens("the hal"))} == {"hall"}


LONG_NAMES = Home(
    areas=(Area("kitchen", "Kitchen"), Area("bedroom", "Master Bedroom")),
    entities=(
        Entity("light.island", "Kitchen Island Light"),
        Entity("light.left", "Master Bedroom Bedside Lamp Left"),
        Entity("light.right", "Master Bedroom Bedside Lamp Right"),
        Entity("lock.front", "Front Door Lock"),
        Entity("binary_sensor.front", "Front Door"),
    ),
)


def test_words_of_a_longer_name_are_found() -> None:
    index = HomeIndex(LONG_NAMES)

    def devices(text: str) -> dict[str, bool]:
        found = index.matches(index.tokens(text))
        return {match.part.id: match.whole for match in found if isinstance(match.part, Entity)}

    assert devices("turn on the island light") == {"light.island": False}
    assert devices("turn on the left bedside lamp") == {"light.left": False, "light.right": False}
    assert devices("turn on the lamp by the bedside") == {}
    assert devices("turn on the bedside or lamp") == {"light.left": False, "light.right": False}
    assert devices("lock the front door") == {"binary_sensor.front": True, "lock.front": False}
    assert devices("turn on the kitchen lights") == {}
    assert devices("turn on the light") == {}


def test_an_empty_home_matches_nothing() -> None:
    index = HomeIndex(Home())
    assert index.matches(index.tokens("turn on the light")) == []


def test_three_letters_are_a_name_only_where_it_begins_with_them() -> None:
    index = HomeIndex(Home(areas=(Area("hall", "Hall"), Area("fans", "Fans"))))

    def found(text: str) -> set[str]:
        return {match.part.id for match in index.matches(index.tokens(text))}

    assert found("lock all doors") == set()
    assert found("the fan in the halls") == {"fans", "hall"}


@pytest.mark.parametrize(("own", "said"), [("Ruths Lamp", "dim ruth's lamp"), ("Ruth's Lamp", "dim ruths lamp")])
def test_a_genitive_with_and_without_its_apostrophe_is_one(own: str, said: str) -> None:
    index = HomeIndex(Home(entities=(Entity("light.a", own),)))
    tokens = index.tokens(said)
    assert any(match.whole and match.score == 1.0 and match.last == len(tokens) for match in index.matches(tokens))
