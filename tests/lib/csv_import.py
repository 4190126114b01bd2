"""A file on its way in: the session of calls that an import is."""

import base64
import hashlib

from isms_client import until

RUNNING = 5


def columns(mapping, values=None):
    """{column: field} and {column: {text: value}} as the API takes them."""
    return [{"column": column, "field": field, "values": (values or {}).get(column, {})}
            for column, field in mapping.items()]


class Import:
    def __init__(self, caller, data, **fields):
        self.caller, self.data = caller, data
        self.id = caller.CreateImport(**{
            "file_name": "file.csv", "source": "test", "kind": "INPUT_KIND_FINDING", **fields}).id

    def send(self, start, end):
        return self.caller.UploadImport(id=self.id, offset=start, data=base64.b64encode(self.data[start:end]).decode())

    def upload(self, chunk=1 << 20):
        """Goes on where the service says that the file ends so far."""
        while (start := self.caller.GetImport(id=self.id).received_bytes) < len(self.data):
            self.send(start, start + chunk)
        return self

    def start(self):
        return self.caller.RunImport(id=self.id, sha256=hashlib.sha256(self.data).hexdigest(), timeout=60)

    def look(self):
        return self.caller.GetImport(id=self.id)

    def finished(self, seconds=60):
        """The import once it is no longer under way."""
        return until(lambda: (import_ := self.look()).state != RUNNING and import_, seconds, "the import to end")

    def run(self):
        assert self.start().state == RUNNING
        return self.finished()


def imported(caller, data, **fields):
    return Import(caller, data, **fields).upload().run()


def everything(method, member, **fields):
    """All pages of a list."""
    items, token = [], ""
    while True:
        page = method(page_token=token, page_size=500, **fields)
        items += getattr(page, member)
        token = page.next_page_token
        if not token:
            return items
