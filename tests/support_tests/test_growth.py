"""The measure of growth lets linear work pass and catches quadratic work."""

from __future__ import annotations

from tests.support.growth import LINEAR, CountingStream, growth


def linear(size: int) -> int:
    return sum(number & 3 for number in range(size))


def quadratic(size: int) -> int:
    return sum(number & other for number in range(size) for other in range(size))


def test_linear_work_passes() -> None:
    assert growth(linear, 100_000, 200_000) <= LINEAR


def test_quadratic_work_does_not() -> None:
    assert growth(quadratic, 400, 800) > LINEAR


def test_quadratic_work_that_no_loop_shows_does_not() -> None:
    """Each search goes through a list from its start."""

    def work(names: list[str]) -> int:
        return sum(name in names for name in list(names))

    names = [str(number) for number in range(3_000)]
    assert growth(work, names[:1_500], names) > LINEAR


def test_bytes_are_counted() -> None:
    stream = CountingStream(bytes(100))
    stream.read(10)
    stream.read()
    assert stream.total == 100
