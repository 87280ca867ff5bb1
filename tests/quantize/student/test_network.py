"""What a token of the student sees of the others."""

from __future__ import annotations

import pytest
import torch

from quantize.student.network import Student, StudentShape

LENGTH = 9


@pytest.mark.parametrize(("local_layers", "seen_by"), [(0, set(range(LENGTH))), (1, {3, 4, 5}), (2, {2, 3, 4, 5, 6})])
def test_local_layers_see_their_neighbours_alone(local_layers: int, seen_by: set[int]) -> None:
    torch.manual_seed(0)
    layers = max(local_layers, 1)
    shape = StudentShape(5, 7, 2, 3, 64, 8, 16, layers, heads=2, kernel=3, feed_forward=16, local_layers=local_layers)
    student = Student(shape).eval()
    ids = torch.randint(1, 64, (1, LENGTH, 6))
    changed = ids.clone()
    changed[0, 4] = torch.randint(1, 64, (6,))
    features = torch.zeros(1, LENGTH, 3)
    with torch.inference_mode():
        moved = (student(ids, features)[1] - student(changed, features)[1]).abs().amax(-1)[0]
    assert {int(token) for token in moved.nonzero()} == seen_by
