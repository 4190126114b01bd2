"""Measures a running stack: isms-actions under load, pgbench on the same statements, an echo.

Started by run.sh. Everything is measured in turns, so that whatever else the machine does falls on all alike; what
is printed are the medians. CPU is read off the kernel's accounts of each process, before and after.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))

import isms_client  # noqa: E402  (found by the line above)

CONNECTIONS = 4
IN_FLIGHT = 32
# pgbench keeps one transaction in flight a connection; with 8, two cores are busy, and more make it slower.
PGBENCH_CLIENTS = 8
PGBENCH_IDS = 8  # different actions that pgbench gets: a script each
WARM_UP = 1

# name: the calls and their weights
CASES = {
    "GetAction": {"get": 100},
    "ListActions (50)": {"list": 100},
    "CreateAction": {"create": 100},
    "80 get, 10 list, 10 create": {"get": 80, "list": 10, "create": 10},
}
STATEMENTS = {"get": "GetAction", "list": "ListActions", "create": "CreateAction"}
ECHO = "Health/Check"

# Noisy neighbour.
NEIGHBOUR_CALLS = CASES["80 get, 10 list, 10 create"]
NEIGHBOUR_LIMIT = 50  # calls a second
FLOOD = 20
FLOOD_IN_FLIGHT = 256
QUIET_RATE = 50

# What the runtime frames a segment with (services/runtime/rpc/values.c).
CALLER = ":tenant::uuid, :actor::uuid, :kind::text, :version::bigint, :scope::text, :timeout::integer"
BEGIN_READ = f"select core.begin_read({CALLER});"
BEGIN_WRITE = (f"select core.begin_write({CALLER}, 'actions', 'CreateAction', gen_random_uuid(), sha256('request'), "
               "'', now());")
END_WRITE = "select core.end_write(null::bytea);"

# The parameters of the statements as pgbench can give them: it knows no NULL, no empty text, and no new UUIDs.
# ":none" is "-"; the planner does not look into a parameter, so that the plan is the service's.
PARAMETERS = {
    "tenant": ":tenant", "id": ":id", "state": "left(:none, 0)", "unfinished": ":false", "page.limit": ":limit",
    "review_id": "nullif(:none, '-')::uuid", "due_before": "nullif(:none, '-')::date",
    "action.owner_id": ":owner", "new_id": "gen_random_uuid()", "now": "now()", "action.title": ":title",
    "action.description": ":description", "action.due_date": ":due", "action.priority": "left(:none, 0)",
    "action.input_id": "nullif(:none, '-')::uuid", "action.labels": ":labels",
}


class Organisation:
    """What is measured: one organisation with actions, a manager's API key, and who it belongs to."""

    def __init__(self, folder, count):
        made = isms_client.Organisation("Bench organisation")
        self.id, self.owner = made.id, made.admin.member
        answer = made.admin.CreateKey(key={"name": "bench", "roles": ["ROLE_ISMS_MANAGER"]})
        self.key = answer.key.id
        self.version = isms_client.stack().sql(
            "select k.revision + o.revision from core.key k join core.organisation o using (tenant_id) "
            f"where k.id = '{self.key}'").stdout.strip()
        caller = isms_client.Caller(answer.api_key, made.id)
        self.actions = [caller.CreateAction(action={
            "title": f"Action {n} – Maßnahme", "description": "What was decided, and what is to be done. " * 4,
            "owner_id": self.owner, "due_date": f"2029-{n % 12 + 1:02}-{n % 28 + 1:02}"}).id for n in range(count)]
        self.id_file, self.key_file = folder / "ids", folder / "key"
        self.id_file.write_text("\n".join(self.actions) + "\n")
        self.key_file.touch(mode=0o600)
        self.key_file.write_text(answer.api_key)


def cpu_ticks(pid):
    """What a process has used, and what those of its children that have ended had used."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None, 0, 0
    return int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])


def cpu_seconds(pid):
    _, own, _ = cpu_ticks(pid)
    return own / os.sysconf("SC_CLK_TCK")


def cpu_seconds_of_family(pid):
    """What a process and all its children have used. Read again when a child has ended meanwhile."""
    while True:
        _, *before = cpu_ticks(pid)
        children = [cpu_ticks(entry) for entry in os.listdir("/proc") if entry.isdigit()]
        if before == list(cpu_ticks(pid)[1:]):
            return (sum(before) + sum(own for parent, own, _ in children if parent == pid)) / os.sysconf("SC_CLK_TCK")


class Cpu:
    """CPU used by each process while the `with` block runs; the client is what the block starts."""

    def __init__(self):
        stack = isms_client.stack()
        self.read = lambda: {
            "client": sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]),
            "service": cpu_seconds(stack.pid("actions")),
            "postgres": cpu_seconds_of_family(stack.pid("postgres")),
        }

    def __enter__(self):
        self.before = self.read()
        return self

    def __exit__(self, *_):
        after = self.read()
        self.used = {name: after[name] - self.before[name] for name in after}

    def per_call(self, calls):
        return {name: round(1e6 * used / calls, 1) for name, used in self.used.items()}


def load_command(arguments, organisation, weights, *options, in_flight=IN_FLIGHT):
    return [str(arguments.programs / "isms-bench-load"), f"--address={isms_client.stack().address('actions')}",
            f"--credential-file={organisation.key_file}", f"--ids={organisation.id_file}",
            f"--owner={organisation.owner}", f"--seconds={arguments.seconds}", f"--warm-up={WARM_UP}",
            f"--connections={CONNECTIONS}", f"--in-flight={in_flight}", *options,
            *(f"{k}={w}" for k, w in weights.items())]


def load_run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit("The load was not answered as it should be; see the line above.")
    return json.loads(done.stdout)


def run_service(arguments, organisation, weights):
    with Cpu() as cpu:
        answer = load_run(load_command(arguments, organisation, weights))
    return {**{name: answer[name] for name in ("per_second", "p50_us", "p95_us", "p99_us")},
            "cpu_us": cpu.per_call(answer["all"])}


def statement(arguments, name):
    """The statement that the SQL file is compiled to, with pgbench's variables."""
    done = subprocess.run([str(arguments.programs / "isms-bench-sql"), str(ROOT / "services/actions/sql"), name],
                          stdout=subprocess.PIPE, text=True, check=True)
    sql, names = done.stdout.rstrip("\n").rsplit("\n--\n", 1)
    names = names.split("\n")
    return re.sub(r"\$(\d+)", lambda found: PARAMETERS[names[int(found[1]) - 1]], sql).strip() + ";"


def write_scripts(arguments, folder):
    """{kind: script files}, a segment each as the runtime sends it: one pipeline, one sync."""
    scripts = {}
    for kind, name in STATEMENTS.items():
        sql = statement(arguments, name)
        frame = [BEGIN_WRITE, "{}", END_WRITE] if kind == "create" else [BEGIN_READ, "{}"]
        scripts[kind] = []
        for n in range(PGBENCH_IDS if kind == "get" else 1):
            script = folder / f"{kind}{n}.sql"
            script.write_text("\n".join(["\\startpipeline", *frame, "\\endpipeline", ""]).replace("{}", sql).replace(
                ":id;", f":id{n};"))
            scripts[kind].append(script)
    return scripts


def run_pgbench(arguments, organisation, weights, scripts, folder):
    variables = {
        "tenant": organisation.id, "actor": organisation.key, "kind": "key", "version": organisation.version,
        "scope": "all", "timeout": 3000, "none": "-", "false": "f", "limit": 51, "owner": organisation.owner,
        "title": "Restore test of the backups", "due": "2030-01-01", "labels": "{}",
        "description": "Restore last month's backup on a spare machine and compare.",
        **{f"id{n}": organisation.actions[n * len(organisation.actions) // PGBENCH_IDS] for n in range(PGBENCH_IDS)},
    }
    stack = isms_client.stack()
    environment = dict(os.environ, PGPASSWORD=(stack.folder / "password").read_text().strip(), LC_ALL="C")
    for old in folder.glob("log*"):
        old.unlink()
    command = ["pgbench", "-n", "-M", "prepared", "-h", "127.0.0.1", "-p", str(stack.port("postgres")),
               "-U", "isms_actions", "-c", str(PGBENCH_CLIENTS), "-j", "2", "-T", str(max(1, round(arguments.seconds))),
               "--log", "--sampling-rate=0.1", f"--log-prefix={folder}/log",
               *(f"-D{name}={value}" for name, value in variables.items()),
               *(f"--file={script}@{max(1, weight * PGBENCH_IDS // len(scripts[kind]))}"
                 for kind, weight in weights.items() for script in scripts[kind]), "isms"]
    with Cpu() as cpu:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    calls = re.search(r"number of transactions actually processed: (\d+)", done.stdout)
    if done.returncode != 0 or "number of failed transactions: 0 " not in done.stdout or "rror" in done.stderr:
        sys.exit(f"pgbench failed:\n{done.stderr}{done.stdout}")
    took = sorted(int(line.split()[2]) for log in folder.glob("log*") for line in log.open())
    return {"per_second": float(re.search(r"tps = ([\d.]+)", done.stdout)[1]),
            **{f"p{p}_us": took[min(len(took) * p // 100, len(took) - 1)] for p in (50, 95, 99)},
            "cpu_us": cpu.per_call(int(calls[1]))}


def run_neighbours(arguments, quiet, noisy, limits):
    """How the quiet organisation's calls fare while the noisy one makes twenty times the calls that it may make; or,
    without limits, alone."""
    flood = None
    if limits:
        isms_client.Caller(isms_client.stack().platform_key()).SetOrganisationLimits(id=noisy.id, limits=limits)
        flood = subprocess.Popen(load_command(
            arguments, noisy, NEIGHBOUR_CALLS, f"--rate={FLOOD * NEIGHBOUR_LIMIT}", "--refusals=1",
            f"--seconds={arguments.seconds + 2 * WARM_UP}", in_flight=FLOOD_IN_FLIGHT),
            stdout=subprocess.PIPE, text=True)
        time.sleep(WARM_UP)
    answer = load_run(load_command(arguments, quiet, NEIGHBOUR_CALLS, f"--rate={QUIET_RATE}"))
    served = 0
    if flood:
        told = json.loads(flood.communicate()[0])
        served = told["per_second"]
        if flood.returncode != 0:
            sys.exit("The flood was not answered as it should be; see the line above.")
    return {**{name: answer[name] for name in ("p50_us", "p95_us", "p99_us")}, "neighbour_per_second": served}


def neighbour(arguments, folder):
    """Noisy neighbour: rows of medians, and each as a ratio to being alone."""
    (folder / "quiet").mkdir()
    (folder / "noisy").mkdir()
    quiet, noisy = (Organisation(folder / name, arguments.actions) for name in ("quiet", "noisy"))
    isms_client.stack().sql("vacuum analyze")
    limited = {"calls_per_second": NEIGHBOUR_LIMIT, "calls_burst": NEIGHBOUR_LIMIT}
    unlimited = {"calls_per_second": 1000000, "calls_burst": 1000000}
    cases = {"alone": None, f"beside {FLOOD} times its limit": limited, "the same without a limit": unlimited}
    runs = {}
    for number in range(arguments.runs):
        for name, limits in cases.items():
            print(f"run {number + 1} of {arguments.runs}: {name} …", file=sys.stderr)
            runs.setdefault(name, []).append(run_neighbours(arguments, quiet, noisy, limits))
    rows = []
    for name, results in runs.items():
        row = {"case": name, **median(results)}
        for percentile in ("p50", "p99"):
            alone = [result[f"{percentile}_us"] for result in runs["alone"]]
            row[f"{percentile}_ratio"] = round(row[f"{percentile}_us"] / statistics.median(alone), 2)
        rows.append(row)
    return rows


def print_neighbours(rows):
    print(f"\n{QUIET_RATE} calls a second of one organisation; another with a limit of {NEIGHBOUR_LIMIT} a second "
          f"makes {FLOOD * NEIGHBOUR_LIMIT}; {os.cpu_count()} cores shared by all\n")
    print(f"{'':<28}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}{'p50 ratio':>11}{'p99 ratio':>11}{'neighbour calls/s':>19}")
    for row in rows:
        print(f"{row['case']:<28}" + "".join(f"{row[name] / 1000:8.2f}" for name in ("p50_us", "p95_us", "p99_us")) +
              f"{row['p50_ratio']:11.2f}{row['p99_ratio']:11.2f}{row['neighbour_per_second']:19,.0f}")


def median(runs):
    """Of every number in results of the same form."""
    if isinstance(runs[0], dict):
        return {name: median([run[name] for run in runs]) for name in runs[0]}
    return statistics.median(runs)


def measure(arguments, organisation, folder):
    scripts = write_scripts(arguments, folder)
    runs = {}
    for number in range(arguments.runs):
        for name, weights in CASES.items():
            print(f"run {number + 1} of {arguments.runs}: {name} …", file=sys.stderr)
            runs.setdefault((name, "isms-actions"), []).append(run_service(arguments, organisation, weights))
            runs.setdefault((name, "pgbench"), []).append(
                run_pgbench(arguments, organisation, weights, scripts, folder))
        runs.setdefault((ECHO, "isms-actions"), []).append(run_service(arguments, organisation, {"echo": 1}))
    return {key: median(results) for key, results in runs.items()}


def with_ratios(results):
    """Each case beside its references."""
    echo = results[ECHO, "isms-actions"]
    answer = []
    for (name, who), result in results.items():
        row = {"case": name, "by": who, **result}
        if who == "isms-actions" and name != ECHO:
            row["of_pgbench"] = round(result["per_second"] / results[name, "pgbench"]["per_second"], 3)
            row["of_echo"] = round(result["per_second"] / echo["per_second"], 3)
        answer.append(row)
    return answer


def print_table(rows):
    head = ["", "by", "calls/s", "of pgbench", "of echo", "p50 ms", "p95 ms", "p99 ms",
            "CPU us a call: client", "service", "postgres"]
    lines = [head]
    for row in rows:
        percent = [f"{100 * row[name]:.0f} %" if name in row else "" for name in ("of_pgbench", "of_echo")]
        lines.append([row["case"], row["by"], f"{row['per_second']:,.0f}", *percent,
                      *(f"{row[name] / 1000:.2f}" for name in ("p50_us", "p95_us", "p99_us")),
                      *(f"{row['cpu_us'][name]:.1f}" for name in ("client", "service", "postgres"))])
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(text.ljust(width) if column < 2 else text.rjust(width)
                        for column, (text, width) in enumerate(zip(line, widths))).rstrip())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", choices=("service", "neighbour"), default="service")
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--actions", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="isms-bench.") as name:
        folder = pathlib.Path(name)
        print(f"creating organisations with {arguments.actions} actions …", file=sys.stderr)
        if arguments.what == "neighbour":
            rows = neighbour(arguments, folder)
            if arguments.json:
                print(json.dumps(rows, indent=2))
            else:
                print_neighbours(rows)
            return
        organisation = Organisation(folder, arguments.actions)
        isms_client.stack().sql("vacuum analyze")  # as autovacuum would have, in an installation a few minutes old
        rows = with_ratios(measure(arguments, organisation, folder))
    if arguments.json:
        print(json.dumps({"connections": CONNECTIONS, "in_flight": IN_FLIGHT, "runs": arguments.runs,
                          "pgbench_clients": PGBENCH_CLIENTS, "cores": os.cpu_count(), "results": rows}, indent=2))
    else:
        print(f"\n{IN_FLIGHT} calls in flight over {CONNECTIONS} connections (pgbench: {PGBENCH_CLIENTS}), "
              f"{os.cpu_count()} cores shared by all; medians of {arguments.runs} runs\n")
        print_table(rows)


if __name__ == "__main__":
    main()
