"""Parts that tests share: wheels, sdists and binaries made on the spot, and an index on loopback.

``wheel_factory``   wheels (valid, or broken in one stated way)
``sdist_factory``   source distributions with a backend of their own
``binary_factory``  tiny real ELF shared objects (``elf_factory``); Mach-O and PE headers
``zip_writer``      zip archives in which every header field can be chosen
``zip_surgery``     changes to the headers of an archive that exists
``index_server``    a package index over HTTP, with ``faults`` that happen on request
``guards``, ``poison``, ``interpreters``  what the fixtures of ``conftest.py`` are made of
"""
