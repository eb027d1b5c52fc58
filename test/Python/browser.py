"""Headless Chromium over its debugging pipe: pages, what they log and what they ask for."""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find():
    """The browser's path, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    def __init__(self, profile):
        read_here, write_there = os.pipe()
        read_there, write_here = os.pipe()
        self._read, self._write = read_here, write_here
        # The browser talks on descriptors 3 and 4, which the shell moves the pipes to.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{read_there} 4>&{write_there}', "bash", find(),
             "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--disable-background-networking", "--disable-component-update", "--no-first-run",
             "--hide-scrollbars", f"--user-data-dir={profile}", "--remote-debugging-pipe"],
            pass_fds=(read_there, write_there), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(read_there)
        os.close(write_there)
        self._buffer, self._numbers = b"", itertools.count(1)
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target,
                                  flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def close(self):
        os.close(self._write)
        os.close(self._read)
        self._process.terminate()
        self._process.wait(timeout=20)

    def _receive(self, seconds):
        """The next message."""
        deadline = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser is silent")
            chunk = os.read(self._read, 1 << 20)
            if not chunk:
                raise EOFError("the browser has died")
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session := getattr(self, "_session", None):
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive(60)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path, width=1440, height=900, dark=False):
        """Loads a file and waits until its charts are drawn."""
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        # The page before must not be taken for the new one.
        self.evaluate("document.documentElement.dataset.pending = 'left'")
        self.call("Page.navigate", url=path.absolute().as_uri())
        self.settle()

    def settle(self):
        for _ in range(600):
            if self.evaluate("document.readyState + document.documentElement?.dataset.pending") \
                    == "complete0":
                return
            time.sleep(0.1)
        raise TimeoutError("the page does not come to rest")

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    @property
    def errors(self):
        """What the page threw or logged as a warning or an error."""
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(parameters["exceptionDetails"]["exception"].get("description"))
            elif event.get("method") == "Runtime.consoleAPICalled" and \
                    parameters["type"] in ("error", "warning", "assert"):
                found.append([one.get("value", one.get("description"))
                              for one in parameters["args"]])
            elif event.get("method") == "Log.entryAdded" and \
                    parameters["entry"]["level"] in ("error", "warning"):
                found.append(parameters["entry"]["text"])
        return found

    @property
    def requests(self):
        """The addresses that the page asked for, but for its own file and for data in itself."""
        addresses = [event["params"]["request"]["url"] for event in self.events
                     if event.get("method") == "Network.requestWillBeSent"]
        return [one for one in addresses if not one.startswith(("file:", "data:", "blob:"))]

    def screenshot(self, path):
        """Of the whole page."""
        image = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(image))
