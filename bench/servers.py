"""Servers in processes of their own, pinned to one core, and the load that is put on them."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from table import CannotMeasure

HOST = "127.0.0.1"
#: Seconds that a server may take to answer for the first time.
START_SECONDS = 30
#: Connections that wrk keeps busy.
CONNECTIONS = 8

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = _CORES[0], _CORES[-1]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    :ivar port: where it listens, on 127.0.0.1.
    :ivar pid: its process.
    """

    port: int
    pid: int

    def get(self, path: str) -> tuple[dict[str, str], bytes]:
        """Return headers and body of a page; anything but 200 is an error."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=START_SECONDS)
        try:
            return _get(connection, path)
        finally:
            connection.close()

    def get_all(self, paths: Sequence[str], clients: int = 4) -> None:
        """Ask for every path once, by some clients at a time."""
        with ThreadPoolExecutor(clients) as pool:
            for _ in pool.map(self._get_in_turn, [paths[n::clients] for n in range(clients)]):
                pass

    def _get_in_turn(self, paths: Iterable[str]) -> None:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=START_SECONDS)
        for path in paths:
            _get(connection, path)
        connection.close()

    def resident_mib(self) -> float:
        """Return the process's resident memory in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(match[1]) / 1024 if match else 0.0

    def requests_per_second(self, path: str, seconds: float) -> float:
        """Return what wrk counts on the other core.

        :raises CannotMeasure: without wrk, or when answers were errors.
        """
        if not shutil.which("wrk"):
            raise CannotMeasure("wrk is not installed")
        wrk = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s"]
        command = pinned([*wrk, f"http://{HOST}:{self.port}{path}"], LOAD_CORE)
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in output or "Socket errors" in output:
            raise CannotMeasure(f"errors under load at {path}")
        match = re.search(r"Requests/sec:\s+([\d.]+)", output)
        if not match:
            raise CannotMeasure("wrk said nothing")
        return float(match[1])


def _get(connection: http.client.HTTPConnection, path: str) -> tuple[dict[str, str], bytes]:
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise CannotMeasure(f"{path} answers {response.status}")
    return dict(response.getheaders()), body


def pinned(command: Sequence[str], core: int) -> list[str]:
    """Return *command* kept on one core, where the system can do that."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(core), *command] if taskset else list(command)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@contextmanager
def serving(command: Sequence[str], port: int, log: Path) -> Iterator[Server]:
    """Run *command*, which listens at *port*, and end it by its process id afterwards.

    :param log: gets what the server says on standard error.
    """
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            pinned(command, SERVER_CORE), stdout=subprocess.DEVNULL, stderr=errors
        )
    try:
        _wait_for(process, port, log)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    said = log.read_text(encoding="utf-8").strip().splitlines() or ["nothing said"]
    raise CannotMeasure(f"{log.stem} does not start: {said[-1]}")


def script(name: str, *arguments: object) -> list[str]:
    """Return the command that runs a script of this directory."""
    return [sys.executable, str(Path(__file__).with_name(name)), *map(str, arguments)]
