"""Binder without its containers: the same steps in a fresh environment, on loopback."""

import asyncio
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tools.book.toc import ROOT

# What is no part of the repository: left behind by tools, or large.
_LEFT_OUT = (".git", ".venv", "_build", "__pycache__", "*.egg-info")
_LEFT_OUT_AT_ROOT = {"build", "data"}  # the package has folders of these names
# What repo2docker's environment has of its own, as far as a reader meets it.
_BASE = ("jupyterlab", "notebook", "jupyter_server", "ipykernel", "ipywidgets")
_START_SECONDS, _CELL_SECONDS = 120, 120


def copied(folder: Path) -> Path:
    """Copy the repository, as Binder does into a reader's home."""
    everywhere = shutil.ignore_patterns(*_LEFT_OUT, ".hypothesis", ".*_cache")

    def ignored(place: str, names: list[str]) -> set[str]:
        here = _LEFT_OUT_AT_ROOT if Path(place) == ROOT else set()
        return everywhere(place, names) | here.intersection(names)

    return Path(shutil.copytree(ROOT, folder, ignore=ignored))


def base(python: str) -> list[str]:
    """Return the pins of what repo2docker installs before it looks at a repository.

    Args:
        python: the version that `binder/environment.yml` asks for.
    """
    # found, not imported: what it imports is deprecated, and a warning is an error
    (folder,) = importlib.util.find_spec("repo2docker").submodule_search_locations
    name = f"environment.py-{python}-linux-64.lock"
    lock = (Path(folder) / "buildpacks" / "conda" / name).read_text(encoding="utf-8")
    found = dict(re.findall(r"/([a-z_]+)-(\d[\w.]*)-[^-/]+\.conda", lock))
    return [f"{name}=={found[name]}" for name in _BASE]


def variables(home: Path, environment: Path) -> dict[str, str]:
    """Return a container's environment variables: none that the build sets."""
    path = os.pathsep.join([str(environment / "bin"), os.environ["PATH"]])
    return {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8"}


def install(home: Path, environment: Path, python: str) -> None:
    """Make an environment, and bring it where Binder has it after `postBuild`."""
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    # Not conda's PyTorch, but as it is one that knows of no CUDA.
    torch = importlib.metadata.version("torch").split("+")[0]
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install"]
    known = variables(home, environment) | _pip_settings()
    _install_step([*pip, f"torch=={torch}", *base(python)], home, known)
    _install_step([str(home / "binder" / "postBuild")], home, known)


def _pip_settings() -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_"))}
    proxies = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
    # pip looks for its user's settings and downloads below these.
    folders = {"XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache"}
    places = {k: os.environ.get(k, str(Path.home() / v)) for k, v in folders.items()}
    # What is never imported need not be compiled.
    return own | proxies | places | {"PIP_NO_COMPILE": "1"}


def _install_step(command: list[str], home: Path, known: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=home, env=known, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (
        f"this step of Binder's ended with {done.returncode}, and nothing after it was "
        f"tested: {' '.join(command)}; it needs the network, as pip does.\n"
        + (done.stdout + done.stderr)[-4000:]
    )


class Lab(NamedTuple):
    """A Jupyter server that runs."""

    address: str
    token: str
    process: psutil.Process

    def ask(self, path: str, content: object = None, method: str = "GET") -> dict:
        """Ask the server's API; an answer other than a success is an error."""
        request = urllib.request.Request(
            self.address + path,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"token {self.token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = answer.read()
        return json.loads(said) if said else {}

    def run(self, kernel: str, cells: Sequence[str], asked: dict[str, str]) -> dict:
        """Run cells one after the other, as a reader's browser does.

        Args:
            kernel: its id.
            cells: source code.
            asked: names, and expressions that are evaluated after the last cell.

        Returns:
            The values of what was asked, as text.
        """
        return asyncio.run(self._run(kernel, cells, asked))

    async def _run(self, kernel, cells, asked) -> dict:
        place = f"{self.address}api/kernels/{kernel}/channels".replace("http", "ws", 1)
        request = HTTPRequest(place, headers={"Authorization": f"token {self.token}"})
        socket = await websocket_connect(request, max_message_size=2**28)
        try:
            for source in cells:
                await _execute(socket, source, {})
            found = (await _execute(socket, "", asked))["user_expressions"]
            return {name: found[name]["data"]["text/plain"] for name in asked}
        finally:
            socket.close()

    def most_memory(self) -> int:
        """Return the bytes that server and kernels held at most, each at its worst."""
        return sum(
            _peak(each.pid)
            for each in [self.process, *self.process.children(recursive=True)]
        )


def _peak(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


async def _execute(socket, source: str, asked: dict[str, str]) -> dict:
    number = uuid.uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "version": "5.3"}
    header |= {"session": "reader", "username": "reader", "date": ""}
    content = {"code": source, "user_expressions": asked, "store_history": True}
    whole = {"channel": "shell", "header": header, "content": content}
    await socket.write_message(
        json.dumps(whole | {"parent_header": {}, "metadata": {}})
    )
    reply, idle = None, False
    # Either may come first: they come through channels of their own.
    while not (reply and idle):
        said = await _heard(socket, source)
        # Bytes are a widget's pictures.
        message = {} if isinstance(said, bytes) else json.loads(said)
        kind, content = message.get("msg_type"), message.get("content", {})
        state = content.get("execution_state") if kind == "status" else None
        assert state not in ("dead", "restarting", "autorestarting"), (
            f"the kernel died in this cell; was it short of memory?\n{source}"
        )
        if message.get("parent_header", {}).get("msg_id") == number:
            reply = content if kind == "execute_reply" else reply
            idle = idle or state == "idle"
    assert reply["status"] == "ok", "\n".join([source, *reply.get("traceback", [])])
    return reply


async def _heard(socket, source: str) -> str | bytes:
    try:
        said = await asyncio.wait_for(socket.read_message(), _CELL_SECONDS)
    except TimeoutError:
        pytest.fail(f"nothing was heard for {_CELL_SECONDS} s of this cell:\n{source}")
    assert said is not None, f"the server hung up in this cell:\n{source}"
    return said


@contextmanager
def started(home: Path, environment: Path) -> Iterator[Lab]:
    """Start what Binder starts, on a free port of this machine alone.

    Args:
        home: the copy of the repository.
        environment: where `install` has been.

    Yields:
        The server, once it answers.
    """
    token = uuid.uuid4().hex
    # as Binder does, but for the address, the token and the user
    command = [str(home / "binder" / "start"), "jupyter", "notebook", "--no-browser"]
    command += ["--ip=127.0.0.1", "--port=0", "--allow-root"]
    command += [f"--IdentityProvider.token={token}"]
    said = home / "server.log"
    with said.open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=home,
            env=variables(home, environment),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    process = psutil.Process(server.pid)
    try:
        yield Lab(_address(home, server, said), token, process)
    finally:
        _end(server, process)


def _address(home: Path, server: subprocess.Popen, said: Path) -> str:
    runtime = home / ".local" / "share" / "jupyter" / "runtime"
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                address = json.loads(file.read_text())["url"]
                urllib.request.urlopen(f"{address}api", timeout=10).close()
                return address
            except (ValueError, urllib.error.URLError, ConnectionError):
                pass  # half written, or not listening yet
        time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{said.read_text()[-4000:]}")


def _end(server: subprocess.Popen, process: psutil.Process) -> None:
    # Kernels are groups of their own, and outlive a server that is killed.
    ours = process.children(recursive=True) if server.poll() is None else []
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    for each in psutil.wait_procs(ours, timeout=5)[1]:
        each.kill()
