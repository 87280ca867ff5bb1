"""Recipes: every mistake is refused with file, line and what was expected."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from edge.errors import ConfigError
from quantize.recipe import Data, Recipe, load_recipe

HEAD = 'name = "x"\n[data]\nsource = "home"\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (HEAD + 'language = ["en"]\n', 4, "did you mean 'languages'"),
        ('name = "x"\n[data]\nsource = "house"\n', 3, "expected home or massive"),
        ('name = "x"\n', 1, "missing required field `data`"),
        ('name = "x"\ndata = 3\n', 2, "Expected `object`, got `int`"),
        ('name = "x"\nsed = 1\n[data]\nsource = "home"\n', 2, "did you mean 'seed'"),
        (HEAD + "[dta]\n", 4, "did you mean 'data'"),
        (HEAD + 'languages = ["en",\n3]\n', 4, "Expected `str`, got `int`"),
        (HEAD + '[training]\nepochs = "many"\n', 5, "Expected `int`, got `str`"),
        (HEAD + "[training]\n# none\nepochs = 0\n", 6, "Expected `int` >= 1"),
        (HEAD + "[student]\nhidden = 30\n", 4, "hidden to be a multiple of heads, got 30 and 4"),
        (HEAD + "[student]\nlayers = 2\nlocal_layers = 3\n", 4, "at most 2 local_layers, the layers, got 3"),
        (HEAD + "[student]\nkernel = 2\n", 4, "an odd kernel"),
        (HEAD + "[release]\nparity = 2.0\n", 5, "Expected `float` <= 1.0"),
        (HEAD + "[release.licences]\nx = 1\n", 4, "Expected `str`, got `int`"),
    ],
)
def test_a_mistake_names_file_line_and_expectation(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"^{re.escape(str(path))}:{line}: .*{message}"):
        load_recipe(str(path))


@pytest.mark.parametrize("content", [b"[data\n", b"\xff\xfe\n"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"r\.toml is not valid TOML"):
        load_recipe(str(path))


def test_an_unknown_recipe_names_the_shipped_ones() -> None:
    with pytest.raises(ConfigError, match="home"):
        load_recipe("hmoe")


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "quantize" / "recipes").glob("*.toml")), ids=str)
def test_shipped_recipes_are_valid_and_named_after_their_file(path: Path) -> None:
    assert load_recipe(str(path)).name == path.stem


def test_the_hash_tells_recipes_apart() -> None:
    recipe = Recipe(name="x", data=Data(source="home"))
    assert recipe.sha256 == Recipe(name="x", data=Data(source="home"), seed=1).sha256
    assert recipe.sha256 != msgspec.structs.replace(recipe, seed=2).sha256
