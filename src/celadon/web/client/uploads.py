"""Sending a file in parts, going on where it broke off."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from celadon.web.client.calls.facts import FactsCalls, Sent
from celadon.web.client.transport import ConsoleError

_PART = 1 << 20
_OUT_OF_STEP = "upload.offset"


class Uploads(FactsCalls):
    """Files to a plant."""

    def upload(self, plant: str, path: str | Path) -> Sent:
        """Send a file; it waits there until its mapping is confirmed (`mapping`), and changes nothing before.

        What was sent by an earlier call that broke off is not sent again.
        """
        file = Path(path)
        with file.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
        size = file.stat().st_size
        sent = self.facts_begin(plant, {"name": file.name, "size": size, "sha256": digest})
        with file.open("rb") as source:
            while not sent["whole"]:
                source.seek(sent["offset"])
                data = base64.b64encode(source.read(_PART)).decode()
                try:
                    sent = self.facts_part(
                        plant, {"upload": sent["id"], "offset": sent["offset"], "data": data}
                    )
                except ConsoleError as refused:
                    if refused.code != _OUT_OF_STEP:
                        raise
                    again = self.facts_begin(plant, {"name": file.name, "size": size, "sha256": digest})
                    if again["offset"] == sent["offset"]:
                        raise  # it is there that the console thinks otherwise
                    sent = again
        return sent
