"""A headless Chromium driven over its debugging pipe, with nothing but the standard library."""

import base64
import itertools
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip


# The browser listens on file descriptor 3 and speaks on 4.
_START = """
import fcntl, os, sys
listen, speak = (fcntl.fcntl(int(word), fcntl.F_DUPFD, 10) for word in sys.argv[1:3])
os.dup2(listen, 3)
os.dup2(speak, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def program() -> str | None:
    """The path of a Chromium on this machine, or None."""
    return next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )


class Browser:
    """One browser with one page. `events` holds every event that the page's session sent."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._buffer = b""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="report-browser-", ignore_cleanup_errors=True)
        from_us, self._write = os.pipe()
        self._read, to_us = os.pipe()
        found = program()
        assert found
        command = [sys.executable, "-c", _START, str(from_us), str(to_us), found, *FLAGS]
        self._log = open(Path(self._folder.name, "stderr.log"), "wb")
        self._process = subprocess.Popen(
            [*command, f"--user-data-dir={self._folder.name}/profile", "about:blank"],
            pass_fds=(from_us, to_us), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        os.close(from_us)
        os.close(to_us)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._read, selectors.EVENT_READ)
        self._session: str | None = None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "Security"):
            self.ask(f"{domain}.enable")
        self.ask("Page.setLifecycleEventsEnabled", enabled=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for handle in (self._read, self._write):
            os.close(handle)
        self._selector.close()
        self._log.close()
        self._folder.cleanup()

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and wait for its result; events that come meanwhile are kept."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(120)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])

    def wait_for(self, event: str, seconds: float = 120, **parameters: Any) -> None:
        """Wait until an event with that name and those parameters has come; it may have come before."""
        end = time.monotonic() + seconds
        while not any(
            one["method"] == event and parameters.items() <= one["params"].items() for one in self.events
        ):
            self._next(end - time.monotonic())

    def _next(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            if not self._selector.select(max(end - time.monotonic(), 0)):
                raise TimeoutError(f"no answer from the browser in {seconds:.0f} s")
            chunk = os.read(self._read, 1 << 20)
            if not chunk:
                raise RuntimeError("the browser ended")
            self._buffer += chunk
        raw, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(raw)
        if "method" in message:
            self.events.append(message)
        return message

    def look(
        self,
        width: int,
        height: int = 900,
        dark: bool = False,
        script: bool = True,
        scale: float = 1,
        printed: bool = False,
    ) -> None:
        """Set the window's width, the colour scheme the reader prefers, whether scripts may run, screen or paper."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media="print" if printed else "", features=[feature])
        self.ask("Emulation.setScriptExecutionDisabled", value=not script)

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        loader = self.ask("Page.navigate", url=path.resolve().as_uri())["loaderId"]
        # By its loader: the event of this page and no other, also if it came before the answer.
        self.wait_for("Page.lifecycleEvent", loaderId=loader, name="load")

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, evaluated by the debugger; a promise's, when it is kept."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def picture(self, path: Path, whole: bool = True) -> Path:
        """Save what the page looks like, all of its height or what the window shows."""
        given: dict[str, Any] = {"captureBeyondViewport": whole}
        if whole:
            size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
            given["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        told = self.ask("Page.captureScreenshot", format="png", **given)
        path.write_bytes(base64.b64decode(told["data"]))
        return path

    def requests(self) -> list[str]:
        """The address of every request that the page made since the browser started."""
        return [
            one["params"]["request"]["url"]
            for one in self.events
            if one["method"] == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """Whatever the page wrote to the console, and every error and violation of its policy."""
        kinds = (
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Security.violation",
        )
        return [json.dumps(one["params"])[:500] for one in self.events if one["method"] in kinds]
