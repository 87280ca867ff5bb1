"""The floor to beat: character n-grams and words, TF-IDF, a linear support vector machine."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.svm import LinearSVC

from quantize.datasets import Utterance
from quantize.metrics import Metrics, Prediction, measure


def train_floor(train: Sequence[Utterance], seed: int = 0) -> Pipeline:
    """Fit intents on character 2- to 5-grams inside words and on words and word pairs."""
    features = make_union(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        TfidfVectorizer(token_pattern=r"\w+", ngram_range=(1, 2), sublinear_tf=True),
    )
    floor = make_pipeline(features, LinearSVC(C=0.5, random_state=seed))
    floor.fit([utterance.text for utterance in train], [utterance.intent for utterance in train])
    return floor


def measure_floor(train: Sequence[Utterance], test: Sequence[Utterance], seed: int = 0) -> Metrics:
    """Metrics of the floor on ``test``; it knows intents only, so that its slot F1 says nothing."""
    guesses = train_floor(train, seed).predict([utterance.text for utterance in test])
    return measure(test, [Prediction(str(guess)) for guess in guesses])
