"""A recipe for a home student that is made in seconds."""

from quantize.recipe import Data, Recipe, StudentPlan, Training

TINY = Recipe(
    name="tiny",
    data=Data(source="home", languages=("en",), sentences=1200),
    student=StudentPlan(buckets=2048, embed=24, hidden=48, layers=1, heads=2, feed_forward=64),
    training=Training(epochs=16, batch=32, rate=5e-3),
)
