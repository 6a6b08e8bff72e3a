"""Streams learn that their server process is told to stop, as servers wait for open streams before they do.

A WSGI server's handler of signals is its own and is set after the application has been loaded, so the entry point asks
Python for the number of each signal through a pipe (`notice_signals`). On an event loop, which uses that pipe itself,
the first stream puts a handler before the server's (`notice_signals_on_loop`).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOPS = (signal.SIGTERM, signal.SIGINT)
_is_closing = threading.Event()
_wakes: list[Callable[[], None]] = []
_lock = threading.Lock()
_is_chained = threading.Event()


def is_closing() -> bool:
    """Whether streams should end now."""
    return _is_closing.is_set()


@contextmanager
def woken_at_close(wake: Callable[[], None]) -> Iterator[None]:
    """Call `wake` when the process is told to stop."""
    with _lock:
        _wakes.append(wake)
    try:
        yield
    finally:
        with _lock:
            _wakes.remove(wake)


def close() -> None:
    """Tell all streams."""
    _is_closing.set()
    with _lock:
        wakes = list(_wakes)
    for wake in wakes:
        wake()


def notice_signals() -> None:
    """Have a thread wait for the signals that stop a server. Does nothing where it cannot: off the main thread, or if
    somebody else waits already."""
    if threading.current_thread() is not threading.main_thread():
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)
        os.close(reading)
        os.close(writing)
        return
    threading.Thread(target=wait_for_signals, args=(reading,), name="signals", daemon=True).start()


def wait_for_signals(reading: int) -> None:
    while numbers := os.read(reading, 64):
        if set(numbers) & set(STOPS):
            close()


def notice_signals_on_loop() -> None:
    """Put a handler before the one that the server has, once."""
    if _is_chained.is_set() or threading.current_thread() is not threading.main_thread():
        return
    _is_chained.set()
    for number in STOPS:
        signal.signal(number, before_handler(signal.getsignal(number)))


def before_handler(handler: Any) -> Callable[[int, FrameType | None], None]:
    def closing(number: int, frame: FrameType | None) -> None:
        close()
        if callable(handler):
            handler(number, frame)
        elif handler is signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    return closing
