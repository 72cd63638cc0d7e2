from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

_FIRST_PAGES = textwrap.dedent(
    """
    import sys
    import threading

    from crossdeps.index.pages.index_page import parse_json
    from crossdeps.index.cache import CachedPage, decode_page, encode_page
    from crossdeps.index.pages.columns import decode_columns, encode_columns
    from crossdeps.index.pages.project_files import PageSource

    BODY = b'{"meta": {"api-version": "1.1"}, "files": [{"filename": "a-1.whl", "url": "a"}]}'
    PAGE = encode_page(CachedPage(url="u", columns=BODY, fetched=0.0, fresh_for=0.0))
    SOURCE = PageSource(url="https://index.example/a/", index="https://index.example", project="a")
    sys.setswitchinterval(1e-6)
    together = threading.Barrier(8)

    def read() -> None:
        together.wait()
        page = decode_page(PAGE)
        assert page is not None
        columns = parse_json(page.columns, SOURCE)
        assert len(columns.filenames) == 1
        assert decode_columns(encode_columns(columns)) == columns

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    """
)


@pytest.mark.subprocess
@pytest.mark.parametrize("attempt", range(4))
def test_the_first_pages_may_be_read_by_several_threads_at_once(attempt: int) -> None:
    """A fresh process survives eight first pages at a time: nothing is learnt by two threads."""
    del attempt
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", _FIRST_PAGES],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
