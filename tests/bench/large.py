"""Inputs, measurements and snapshots on a database of full size: what a call takes alone, and beside 1,000 others.

Started by run.sh on a stack of its own. Two organisations are measured: one with as many inputs as all others, and a
large one. First they are alone in the database; then the others come, and the same calls are made again. So the ratio
says what an organisation pays for the others, which is nothing as long as each plan goes by its tenant; that is looked
at as well, for every statement that reads, and the bench fails where one does not.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))

import isms_client  # noqa: E402  (found by the line above)
import story  # noqa: E402

SQL = ROOT / "services/inputs/sql"
MAKE, CHECK = ((ROOT / "tests/lib" / name).read_text() for name in ("large_inputs.sql", "plan_check.sql"))
MONTHS_36 = 1096
STEP = 20  # organisations that are made in one go
NO_VARIANT = 3
AT_ONCE = 8  # plans that are looked at in one go


def sql(text, role="postgres"):
    done = isms_client.stack().sql(text, role)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout.strip()


def make(call):
    sql(f"{MAKE}; set session_replication_role = replica; {call}")


class Tenant:
    """An organisation that is measured."""

    def __init__(self, name, inputs, points):
        made = isms_client.Organisation(name)
        self.name, self.id, self.inputs = name, made.id, inputs
        self.manager, self.chair = made.person("ISMS_MANAGER"), made.person("TOP_MANAGEMENT")
        make(f"select pg_temp.large_inputs('{{{self.id}}}', {inputs}, {points}, true)")
        first = self.manager.ListInputs(page_size=1, filter={"kinds": ["INPUT_KIND_METRIC"]}).inputs[0]
        self.metric = first.id
        self.review = None
        self.deep = None

    def period(self):
        return {"start_date": story.day(-MONTHS_36), "end_date": story.day()}

    def deep_page(self):
        """The token of a page after nine tenths of all."""
        if self.deep is None:
            token, seen = "", 0
            while seen < self.inputs * 9 // 10:
                page = self.manager.ListInputs(page_size=500, page_token=token)
                token, seen = page.next_page_token, seen + len(page.inputs)
            self.deep = token
        return self.deep

    def freeze(self):
        """A review that is ready, so that only its opening is measured."""
        self.review = story.Review(self.manager, self.chair)
        self.manager.PrepareReview(id=self.review.id)
        return lambda: self.manager.OpenReview(id=self.review.id, timeout=120)

    def snapshots(self):
        return self.manager.ListSnapshots(page_size=2).snapshots


def calls(tenant):
    """(name, makes the call that is measured, of how many the percentiles are)."""
    caller, period = tenant.manager, tenant.period()
    quick, slow, freezes = "quick", "slow", "freezes"
    deep = tenant.deep_page()

    def of(method, **fields):
        return lambda: lambda: method(timeout=120, **fields)

    yield "list 50, by number", of(caller.ListInputs, page_size=50), quick
    yield "list 50, the last ones", of(caller.ListInputs, page_size=50, page_token=deep), quick
    yield "list 50 risks, by due date", of(caller.ListInputs, page_size=50, order_by="due_date",
                                           filter={"kinds": ["INPUT_KIND_RISK"]}), quick
    yield "list 50 open, worst first", of(caller.ListInputs, page_size=50, order_by="severity desc",
                                          filter={"states": ["INPUT_STATE_OPEN"]}), quick
    yield "list 50 by a rare label", of(caller.ListInputs, page_size=50, filter={"all_labels": ["l3", "site 2"]}), quick
    yield "list 500, by number", of(caller.ListInputs, page_size=500), slow
    yield "search of two words", of(caller.SearchInputs, query="leavers 77"), quick
    yield "counts, kind by state", of(caller.CountInputs, rows="COUNT_DIMENSION_KIND",
                                      columns="COUNT_DIMENSION_STATE"), slow
    yield "history of one", of(caller.ListInputChanges, id=tenant.metric), quick
    yield "a metric's trend, 36 months", of(caller.GetMetricTrend, metric_id=tenant.metric, period=period), quick
    yield "100 metrics' trends", of(caller.ListMetricTrends, period=period, page_size=100), slow
    yield "open a review (freeze)", tenant.freeze, freezes
    latest = tenant.snapshots
    yield "page of 500 frozen", lambda: (lambda: caller.ListSnapshotInputs(
        review_id=tenant.review.id, page_size=500, timeout=120)), slow
    yield "get a snapshot", lambda: (lambda: caller.GetSnapshot(review_id=tenant.review.id, timeout=120)), slow
    yield "what changed since the last", lambda: (lambda later: lambda: caller.DiffSnapshots(
        later_snapshot_id=later, timeout=120))(latest()[0].id), slow
    yield "verify a snapshot", lambda: (lambda which: lambda: caller.VerifySnapshot(
        snapshot_id=which, timeout=120))(latest()[0].id), slow


def percentile(times, percent):
    return sorted(times)[min(len(times) * percent // 100, len(times) - 1)]


def measure(tenant, arguments):
    """{call: {p50, p95, p99 in ms}}, one call after the other."""
    counts = {"quick": arguments.calls, "slow": max(arguments.calls // 10, 3), "freezes": arguments.freezes}
    results = {}
    for name, prepare, how_often in calls(tenant):
        times = []
        for n in range(counts[how_often] + 1):
            run = prepare()
            started = time.perf_counter()
            run()
            if n > 0 or how_often == "freezes":  # the first one warms up
                times.append(1000 * (time.perf_counter() - started))
        results[name] = {f"p{percent}": percentile(times, percent) for percent in (50, 95, 99)}
        print(f"  {tenant.name}: {name}: {results[name]['p50']:.1f} ms", file=sys.stderr)
    return results


# --- the database alone ----------------------------------------------------------------------------------

def statement(arguments, name, variant=0):
    """(text, names of the parameters); None: there is no such variant."""
    done = subprocess.run([str(arguments.programs / "isms-bench-sql"), str(SQL), name, str(variant)],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == NO_VARIANT:
        return None
    if done.returncode != 0:
        sys.exit(f"{name}.sql cannot be compiled")
    text, names = done.stdout.rstrip("\n").rsplit("\n--\n", 1) if "\n--\n" in done.stdout else (
        done.stdout.removesuffix("\n--\n"), "")
    return text, names.split("\n") if names else []


def literals(text, values, names):
    """The statement with values in place of its parameters, what is not given as the runtime binds what is unset."""
    types = sql(f"prepare it as {text}; select array_to_string(parameter_types, '|') from pg_prepared_statements",
                "isms_inputs").splitlines()[-1].split("|")
    unset = {"text": "''", "boolean": "false", "integer": "0", "bigint": "0", "double precision": "0"}

    def literal(found):
        name, kind = names[int(found[1]) - 1], types[int(found[1]) - 1]
        value = values.get(name, "'{}'" if kind.endswith("[]") else unset.get(kind, "null"))
        return f"({value})::{kind}"

    return re.sub(r"\$(\d+)", literal, text)


def pgbench(arguments, tenant, name, variant, values, folder):
    """p50 in ms of the statement as its role, in a segment as the runtime sends it."""
    text, names = statement(arguments, name, variant)
    values = {"tenant": f"'{tenant.id}'", "page.limit": "51", "now": "now()", "page.1": "null", "page.2": "null",
              **values}
    begin = f"select core.begin_read('{tenant.id}', null, 'job', 0, 'all', 60000);"
    script = folder / "statement.sql"
    script.write_text("\\startpipeline\n" + begin + "\n" + literals(text, values, names).strip() +
                      ";\n\\endpipeline\n")
    stack = isms_client.stack()
    for old in folder.glob("log*"):
        old.unlink()
    done = subprocess.run(
        ["pgbench", "-n", "-M", "prepared", "-h", "127.0.0.1", "-p", str(stack.port("postgres")), "-U", "isms_inputs",
         "-t", str(arguments.calls), "--log", f"--log-prefix={folder}/log", "-f", str(script), "isms"],
        env=dict(os.environ, PGPASSWORD=(stack.folder / "password").read_text().strip(), LC_ALL="C"),
        capture_output=True, text=True, check=False)
    if done.returncode != 0 or "rror" in done.stderr:
        sys.exit(f"pgbench failed:\n{done.stderr}{done.stdout}")
    return percentile([int(line.split()[2]) / 1000 for log in folder.glob("log*") for line in log.open()], 50)


def database_alone(arguments, tenant):
    period = {"period.start_date": f"'{tenant.period()['start_date']}'",
              "period.end_date": f"'{tenant.period()['end_date']}'"}
    with tempfile.TemporaryDirectory(prefix="isms-bench.") as name:
        folder = pathlib.Path(name)
        return {
            "list 50, by number": pgbench(arguments, tenant, "ListInputs", 0, {}, folder),
            "open a review (freeze)": pgbench(argparse.Namespace(programs=arguments.programs, calls=arguments.freezes),
                                              tenant, "FreezeInputs", 0, period, folder),
        }


# --- plans -----------------------------------------------------------------------------------------------

def quoted(text):
    return "$statement$" + text + "$statement$"


def plan_faults(arguments):
    """What is wrong with the plans of all statements that read, as lines; and how many were looked at."""
    asked = []
    for file in sorted(SQL.glob("*.sql")):
        if "." in file.stem or "--@answer" in file.read_text():
            continue
        variant = 0
        while (found := statement(arguments, file.stem, variant)) is not None:
            asked.append(f"select '{file.stem}, variant {variant}: ' || f from pg_temp.plan_faults("
                         f"{quoted(found[0])}, {len(found[1])}, 'inputs') f")
            variant += 1
    faults = []
    for first in range(0, len(asked), AT_ONCE):
        told = sql(f"{CHECK}; " + " union all ".join(asked[first:first + AT_ONCE])).splitlines()
        faults += [line for line in told if ", variant " in line]  # and not what psql says of the functions
    return faults, len(asked)


# --- memory ----------------------------------------------------------------------------------------------

def resident(what="VmRSS"):
    status = pathlib.Path(f"/proc/{isms_client.stack().pid('inputs')}/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+) kB", status).group(1)) / 1024


def peak_reset():
    pathlib.Path(f"/proc/{isms_client.stack().pid('inputs')}/clear_refs").write_text("5")


# --- all of it -------------------------------------------------------------------------------------------

def others_make(arguments):
    each, points = arguments.inputs // arguments.tenants, arguments.measurements // arguments.tenants
    points = max(points // max(each // 25, 1), 1)
    for first in range(1, arguments.tenants + 1, STEP):
        last = min(first + STEP - 1, arguments.tenants)
        tenants = f"array(select md5('large ' || n)::uuid from generate_series({first}, {last}) n)"
        make(f"select pg_temp.large_tenants({first}, {last}); "
             f"select pg_temp.large_inputs({tenants}, {each}, {points}, false); "
             f"select pg_temp.large_snapshots({tenants}, 1)")
        print(f"organisations: {last} of {arguments.tenants}", file=sys.stderr)
    sql("vacuum analyze")


def print_table(tenants, alone, beside, database):
    print(f"{'':<16}{'':<32}{'alone':^24}{'beside the others':^24}{'ratio':^16}{'database':>9}")
    print(f"{'organisation':<16}{'call (ms)':<32}" + 2 * f"{'p50':>8}{'p95':>8}{'p99':>8}" + f"{'p50':>8}{'p99':>8}"
          f"{'p50':>9}")
    for tenant in tenants:
        for name, now in beside[tenant.name].items():
            before = alone[tenant.name][name]
            numbers = "".join(f"{row[p]:8.1f}" for row in (before, now) for p in ("p50", "p95", "p99"))
            ratios = "".join(f"{now[p] / before[p]:8.2f}" for p in ("p50", "p99"))
            only = database[tenant.name].get(name)
            print(f"{tenant.name:<16}{name:<32}{numbers}{ratios}" + (f"{only:9.1f}" if only else ""))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--inputs", type=int, default=1000000)
    parser.add_argument("--measurements", type=int, default=10000000)
    parser.add_argument("--large", type=int, default=10000, help="inputs of the large organisation")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--freezes", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    points = max(25 * arguments.measurements // arguments.inputs, 1)
    started = datetime.datetime.now()
    print("making the organisations that are measured …", file=sys.stderr)
    tenants = [Tenant("Usual", arguments.inputs // arguments.tenants, points), Tenant("Large", arguments.large, points)]
    sql("vacuum analyze")
    memory = {"before": resident()}
    alone = {tenant.name: measure(tenant, arguments) for tenant in tenants}
    others_make(arguments)
    faults, plans = plan_faults(arguments)
    peak_reset()
    beside = {tenant.name: measure(tenant, arguments) for tenant in tenants}
    memory |= {"after": resident(), "peak": resident("VmHWM")}
    database = {tenant.name: database_alone(arguments, tenant) for tenant in tenants}
    size = sql("select pg_size_pretty(pg_database_size('isms'))")
    if arguments.json:
        print(json.dumps({"alone": alone, "beside": beside, "database": database, "memory": memory, "plans": plans,
                          "faults": faults}, indent=2))
    else:
        print(f"\n{arguments.inputs:,} inputs and {arguments.measurements:,} measurements of {arguments.tenants:,} "
              f"organisations ({size}), beside {tenants[0].inputs:,} and {tenants[1].inputs:,} inputs with "
              f"{points} measurements a metric; {os.cpu_count()} cores shared by all; "
              f"{(datetime.datetime.now() - started).seconds // 60} min\n")
        print_table(tenants, alone, beside, database)
        print(f"\nisms-inputs: {memory['before']:.0f} MiB before, {memory['peak']:.0f} at its peak, "
              f"{memory['after']:.0f} afterwards\n{plans} plans looked at, {len(faults)} do not go by the tenant")
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
