"""The measure of growth lets linear work pass and catches quadratic work."""

from __future__ import annotations

from tests.support.growth import LINEAR, CountingStream, growth


def linear(numbers: range) -> int:
    return sum(number & 3 for number in numbers)


def quadratic(numbers: range) -> int:
    return sum(number & other for number in numbers for other in numbers)


def test_linear_work_passes() -> None:
    assert growth(linear, range, 200_000) <= LINEAR


def test_quadratic_work_does_not() -> None:
    assert growth(quadratic, range, 1_000) > LINEAR


def test_quadratic_work_that_no_loop_shows_does_not() -> None:
    """Each search goes through a list from its start."""

    def work(names: list[str]) -> int:
        return sum(name in names for name in list(names))

    assert growth(work, lambda size: [str(number) for number in range(size)], 4_000) > LINEAR


def test_bytes_are_counted() -> None:
    stream = CountingStream(bytes(100))
    stream.read(10)
    stream.read()
    assert stream.total == 100
