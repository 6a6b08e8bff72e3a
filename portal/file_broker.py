"""Celery's broker of files, for one machine: as kombu's, but a message appears whole or not at all.

kombu creates a message's file and then fills it. A worker that looks in between takes an empty file, cannot read it and
ends. Here the text is written beside the queue and moved into it in one step.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):  # type: ignore[misc]
    """kombu's channel with a `_put` that cannot be seen half done."""

    def _put(self, queue: str, payload: Any, **_: Any) -> None:
        """Put a message into a queue. Raises `ChannelError`."""
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        draft = folder / f".{name}.part"
        try:
            draft.write_text(dumps(payload))
            os.replace(draft, folder / name)  # noqa: PTH105 - named here for the test that looks in at this moment
        except OSError as error:
            raise ChannelError(f"cannot add the file {name} to {folder}") from error


class Transport(filesystem.Transport):  # type: ignore[misc]
    """What `filesystem://` means in this process; registered by `portal.celery`."""

    Channel = Channel
