"""TCP in between: links that can be cut, silenced, slowed, and cut in the middle of a message.

A link is a loopback port that passes on to another. All links live on one asyncio loop in a thread of its own; what a
test does to them takes effect before the call returns.
"""

import asyncio
import contextlib
import threading

CHUNK = 16 * 1024


class Links:
    """The loop that the links live on."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def link(self, name, port):
        link = Link(self, name, port)
        self.run(link.open())
        return link

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


class Link:
    """Passes connections on to a loopback port. Whole until something is done to it; heal() makes it whole again."""

    def __init__(self, links, name, target):
        self.links, self.name, self.target = links, name, target
        self.port = None
        self.delay = 0.0
        self.budget = None  # bytes that still pass towards the client before all is cut
        self.refusing = False
        self.passing = None
        self.writers = set()

    def __repr__(self):
        return self.name

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    async def open(self):
        self.passing = asyncio.Event()
        self.passing.set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    # --- what is done to it ---

    def cut(self):
        """Breaks every connection; new ones pass."""
        self._do(self._abort)

    def refuse(self):
        """Breaks every connection, and each new one at once."""
        self._do(lambda: (setattr(self, "refusing", True), self._abort()))

    def silence(self):
        """Nothing passes any more, in connections old and new, and none of them ends."""
        self._do(self.passing.clear)

    def slow(self, seconds):
        """Whatever passes takes that long, in either direction."""
        self._do(lambda: setattr(self, "delay", seconds))

    def cut_after(self, count):
        """Breaks every connection once that many bytes more have gone towards the client."""
        self._do(lambda: setattr(self, "budget", count))

    def heal(self):
        def whole():
            self.delay, self.budget, self.refusing = 0.0, None, False
            self.passing.set()
        self._do(whole)

    def _do(self, change):
        async def run():
            change()
        self.links.run(run())

    def _abort(self):
        for writer in self.writers:
            writer.transport.abort()

    # --- connections ---

    async def _serve(self, reader, writer):
        self.writers.add(writer)
        far = None
        try:
            if self.refusing:
                return
            await self.passing.wait()
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
            self.writers.add(far)
            pumps = [asyncio.ensure_future(self._pump(reader, far, False)),
                     asyncio.ensure_future(self._pump(far_reader, writer, True))]
            _, left = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in left:
                pump.cancel()
        except OSError:
            pass
        finally:
            for end in (writer, far):
                if end:
                    self.writers.discard(end)
                    end.transport.abort()

    async def _pump(self, reader, writer, towards_client):
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self.passing.wait()
                if towards_client and self.budget is not None:
                    data, self.budget = data[:self.budget], self.budget - len(data)
                writer.write(data)
                await writer.drain()
                if self.budget is not None and self.budget <= 0:
                    self.budget = None
                    self._abort()
