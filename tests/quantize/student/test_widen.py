"""A widened student says what it said before, and keeps saying it while it learns."""

from __future__ import annotations

import torch

from quantize.student.network import Student, StudentShape
from quantize.student.widen import widened

SHAPE = StudentShape(frames=5, tags=7, languages=2, features=3, buckets=64, embed=8, hidden=16, layers=1, heads=2)


def test_a_widened_student_says_what_it_said_before() -> None:
    torch.manual_seed(1)
    student = Student(SHAPE).eval()
    wide = widened(student, 8, 11).eval()
    ids, features = torch.randint(1, 64, (4, 6, 20)), torch.rand(4, 6, 3)
    with torch.no_grad():
        frames, tags, languages, _ = student(ids, features)
        wide_frames, wide_tags, wide_languages, _ = wide(ids, features)
    assert wide_frames.shape == (4, 8) and wide_tags.shape == (4, 6, 11) and wide.transitions.shape == (11, 11)
    torch.testing.assert_close(wide_frames[:, :5], frames)
    torch.testing.assert_close(wide_tags[:, :, :7], tags)
    torch.testing.assert_close(wide_languages, languages)
    torch.testing.assert_close(wide_frames.argmax(1), frames.argmax(1))
