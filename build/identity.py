"""What Llamero is called where systems tell programs and their makers apart: one place for all of its packages.

Whoever publishes builds of their own changes it here, and in LICENSE what is theirs. `APPLICATION_ID` is a domain read
backwards (AppStream, macOS); nobody may own `MAINTAINER`'s by RFC 2606, so that a build of nobody's sends nobody mail.
"""

from __future__ import annotations

NAME = "Llamero"
APPLICATION_ID = "io.github.llamero.llamero"
DEVELOPER_ID = APPLICATION_ID.rpartition(".")[0]
PUBLISHER = "The Llamero developers"
MAINTAINER = f"{PUBLISHER} <developers@llamero.invalid>"
