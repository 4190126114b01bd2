"""A session of the database that a test holds open: what it has locked, everybody else waits for."""

import os
import subprocess

from isms_client import stack


class Held:
    """One transaction, as the database's administrator and without triggers."""

    def __enter__(self):
        environment = dict(os.environ, PGPASSWORD=(stack().folder / "password").read_text().strip())
        self.psql = subprocess.Popen(
            ["psql", "-X", "-At", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
             str(stack().port(stack().primary)), "-U", "postgres", "-d", "isms"],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.run("begin; set local session_replication_role = replica")
        return self

    def __exit__(self, *_):
        self.psql.stdin.close()  # ends psql, and what was not committed is taken back
        self.psql.wait(60)
        self.psql.stdout.close()
        self.psql.stderr.close()

    def run(self, statement):
        """Comes back when it is done."""
        self.psql.stdin.write(f"{statement};\n\\echo done\n")
        self.psql.stdin.flush()
        for line in self.psql.stdout:
            if line == "done\n":
                return
        raise AssertionError(self.psql.stderr.read())

    def commit(self):
        self.run("commit")

    def release(self):
        self.run("rollback")
