"""The few calls of Ray that the program uses, done with threads of this process: for tests where Ray is missing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

NODE = {
    "NodeID": "0123456789ab",
    "NodeManagerHostname": "node1",
    "Alive": True,
    "Resources": {"CPU": 4.0, "memory": 1e9},
}


class ActorDiedError(Exception):
    """Named like Ray's."""


_telling = threading.local()
"""`now` is True on a thread on which Ray tells that a call has ended"""


class Ref:
    """A reference to the result of a call; `call` is done on a thread of its own."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._future: Future[Any] = Future()
        self._call = call
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            result = self._call()
        except Exception as error:
            self.fail(error)
        else:
            self._tell(lambda: self._future.set_result(result))

    def fail(self, error: Exception) -> None:
        self._tell(lambda: self._future.set_exception(error))

    def _tell(self, end: Callable[[], None]) -> None:
        _telling.now = True
        try:
            if not self._future.done():
                end()
        finally:
            _telling.now = False

    def future(self) -> Future[Any]:
        return self._future


class Actor:
    """A handle; `instance` is made on this thread."""

    def __init__(self, instance: Any, options: dict[str, Any]) -> None:
        self.instance, self.options = instance, options
        self.refs: list[Ref] = []
        self.death: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.instance, name)
        return _Callable(lambda *arguments: self._call(method, arguments))

    def _call(self, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Ref:
        if self.death is not None:
            ref = Ref(lambda: None)
            ref._future = Future()
            ref.fail(self.death)
            return ref
        ref = Ref(lambda: method(*arguments))
        self.refs.append(ref)
        return ref

    def die(self, message: str) -> None:
        self.death = ActorDiedError(message)
        for ref in self.refs:
            ref.fail(self.death)


class _Callable:
    def __init__(self, call: Callable[..., Any]) -> None:
        self.remote = call


class Stream:
    """References to what a task yields; `cancelled` says how it was cancelled, each time."""

    def __init__(self, values: Any, options: dict[str, Any]) -> None:
        self._values = values
        self.options = options
        self.cancelled: list[bool] = []

    def __iter__(self) -> Any:
        for value in self._values:
            if True in self.cancelled:
                raise ActorDiedError("worker died")
            yield lambda value=value: value


class FakeRay(ModuleType):
    """The module `ray`."""

    def __init__(self, version: str = "2.60.0", error: Exception | None = None) -> None:
        """error: raised by `init`."""
        super().__init__("ray")
        self.__spec__ = ModuleSpec("ray", None)
        self.__version__ = version
        self._error = error
        self.options: dict[str, Any] = {}
        self.listed: list[dict[str, Any]] = [NODE]
        self.actors: list[Actor] = []
        self.streams: list[Stream] = []
        self.deadlocks = 0
        self.is_connected = False

    def init(self, **options: Any) -> None:
        self.options = options
        if self._error is not None:
            raise self._error
        self.is_connected = True

    def nodes(self) -> list[dict[str, Any]]:
        return self.listed

    def remote(self, **options: Any) -> Callable[[Any], Any]:
        def decorate(target: Any) -> Any:
            return _Remote(self, target, options)

        return decorate

    def get(self, reference: Any) -> Any:
        return reference()

    def cancel(self, stream: Stream, *, force: bool) -> None:
        stream.cancelled.append(force)

    def kill(self, actor: Actor, *, no_restart: bool) -> None:
        assert no_restart, "the batch restarts workers"
        self.deadlocks += getattr(_telling, "now", False)
        actor.die("The actor is dead because it was killed by `ray.kill`.")

    def shutdown(self) -> None:
        self.is_connected = False


class _Remote:
    def __init__(self, ray: FakeRay, target: Any, options: dict[str, Any]) -> None:
        self._ray, self._target, self._options = ray, target, options

    def options(self, **more: Any) -> _Remote:
        return _Remote(self._ray, self._target, {**self._options, **more})

    def remote(self, *arguments: Any) -> Any:
        if isinstance(self._target, type):
            actor = Actor(self._target(*arguments), self._options)
            self._ray.actors.append(actor)
            return actor
        if self._options.get("num_returns") == "streaming":
            self._ray.streams.append(Stream(self._target(*arguments), self._options))
            return self._ray.streams[-1]
        return Ref(lambda: self._target(*arguments))
