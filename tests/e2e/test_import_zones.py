"""A time in a file that names no zone is what the organisation's clocks show. The moments are worked out here by
Python's own zoneinfo, for organisations on either side of UTC."""

import datetime
import io
import zoneinfo

import pytest
import tables
from csv_import import columns, everything, imported
from isms_client import Organisation

UTC = datetime.timezone.utc
DONE, CHECKED = 2, 4
# With the day of 2025 on which its clocks skip an hour, and the one on which they show an hour twice.
ZONES = {
    "America/New_York": ("2025-03-09", "2025-11-02"),
    "Europe/Berlin": ("2025-03-30", "2025-10-26"),
    "Pacific/Kiritimati": ("2025-03-09", "2025-11-02"),
}


class Place:
    def __init__(self, zone):
        self.zone = zoneinfo.ZoneInfo(zone)
        self.organisation = Organisation(f"Imports in {zone}")
        self.organisation.admin.UpdateOrganisation(organisation={"time_zone": zone}, update_mask="timeZone")
        self.manager = self.organisation.person("ISMS_MANAGER")
        self.short_day, self.long_day = ZONES[zone]

    def moment(self, *shown):
        """When clocks here show it; in an hour that they skip or show twice, the later of what it could mean."""
        return max(datetime.datetime(*shown, tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))

    def metric(self):
        return self.manager.CreateInput(input={"title": "A metric", "metric": {
            "unit": "h", "polarity": "POLARITY_LOWER_IS_BETTER", "frequency": "FREQUENCY_MONTHLY"}}).id

    def measured(self, metric):
        """{value: measurement}"""
        return {item.value: item for item in everything(self.manager.ListMeasurements, "measurements",
                                                        metric_id=metric)}


@pytest.fixture(scope="module", params=ZONES)
def place(request):
    return Place(request.param)


def moment_of(timestamp):
    return timestamp.ToDatetime(tzinfo=UTC)


def parts(day, *clock):
    return (*map(int, day.split("-")), *clock)


def test_a_time_without_a_zone_is_what_clocks_show_there(place):
    expected = {
        "Jan 2025": place.moment(2025, 1, 1),
        "2025-03-08": place.moment(2025, 3, 8),
        "11/Jul/25 3:22 PM": place.moment(2025, 7, 11, 15, 22),
        "1970-01-01": place.moment(1970, 1, 1),
        f"{place.short_day} 01:59:59": place.moment(*parts(place.short_day, 1, 59, 59)),
        f"{place.short_day} 02:30": place.moment(*parts(place.short_day, 2, 30)),
        f"{place.short_day} 03:00": place.moment(*parts(place.short_day, 3, 0)),
        f"{place.long_day} 00:30": place.moment(*parts(place.long_day, 0, 30)),
        f"{place.long_day} 01:30": place.moment(*parts(place.long_day, 1, 30)),
        f"{place.long_day} 02:30": place.moment(*parts(place.long_day, 2, 30)),
        f"{place.long_day} 03:30": place.moment(*parts(place.long_day, 3, 30)),
        "2025-03-08T00:00:00Z": datetime.datetime(2025, 3, 8, tzinfo=UTC),
        "2025-05-01T10:00:00+02:00": datetime.datetime(2025, 5, 1, 8, tzinfo=UTC),
    }
    metric = place.metric()
    fields = {"metric_id": metric, "columns": columns({"When": "observed_time", "What": "value",
                                                       "Told": "recorded_time"})}
    text = "When,What,Told\n" + "".join(f"{time},{n},2025-12-31 23:59\n" for n, time in enumerate(expected))
    checked = imported(place.manager, text.encode(), dry_run=True, **fields)
    assert (checked.state, checked.created) == (CHECKED, len(expected)), checked.errors
    done = imported(place.manager, text.encode(), **fields)
    assert (done.state, done.created) == (DONE, len(expected)), done.errors
    kept = place.measured(metric)
    assert {time: moment_of(kept[n].observed_time) for n, time in enumerate(expected)} == expected
    assert {moment_of(item.recorded_time) for item in kept.values()} == {place.moment(2025, 12, 31, 23, 59)}
    for dry_run in (True, False):
        again = imported(place.manager, text.encode(), dry_run=dry_run, **fields)
        assert (again.created, again.unchanged) == (0, len(expected)), again.errors


def test_months_are_those_that_the_file_says(place, tmp_path):
    metric = place.metric()
    months = {"Nov 2024": 5, "Dec 2024": 4, "Jan 2025": 3, "Feb 2025": 2, "Mar 2025": 1}
    text = "Month,Hours\n" + "".join(f"{month},{value}\n" for month, value in months.items())
    done = imported(place.manager, text.encode(), metric_id=metric,
                    columns=columns({"Month": "observed_time", "Hours": "value"}))
    assert (done.state, done.created) == (DONE, len(months)), done.errors
    trend = place.manager.GetMetricTrend(
        metric_id=metric, period={"start_date": "2024-11-01", "end_date": "2025-03-31"},
        granularity="GRANULARITY_MONTH")
    assert [(span.days.start_date, span.points, span.last) for span in trend.spans] == [
        ("2024-11-01", 1, 5), ("2024-12-01", 1, 4), ("2025-01-01", 1, 3), ("2025-02-01", 1, 2), ("2025-03-01", 1, 1)]
    text = tables.exported(place.manager, "--metric", metric)
    assert tables.put_in(place.manager, tmp_path / "out.csv", text, "--metric", metric) == (0, 0, len(months))


def test_an_incidents_times_are_local_and_its_days_are_those_of_the_file(place):
    mapping = columns({"Id": "external_id", "Title": "title", "Day": "effective_date", "Due": "due_date",
                       "Was": "incident.occurred_time", "Seen": "incident.detected_time",
                       "Held": "incident.contained_time", "Over": "incident.resolved_time"})
    fields = {"kind": "INPUT_KIND_INCIDENT", "columns": mapping}
    head = "Id,Title,Day,Due,Was,Seen,Held,Over\n"
    row = "I-1,Outage,2025-03-10,10/Apr/25 11:59 PM,2025-03-10,10/Mar/25 12:05 AM,"
    done = imported(place.manager, f"{head}{row}2025-03-11T20:00:00Z,2025-03-12T01:00:00+02:00\n".encode(), **fields)
    assert (done.state, done.created) == (DONE, 1), done.errors
    item, = everything(place.manager.ListInputs, "inputs", filter={"kinds": ["INPUT_KIND_INCIDENT"]})
    assert (item.effective_date, item.due_date) == ("2025-03-10", "2025-04-10")
    incident = item.incident
    assert [moment_of(time) for time in (incident.occurred_time, incident.detected_time, incident.contained_time,
                                         incident.resolved_time)] == [
        place.moment(2025, 3, 10), place.moment(2025, 3, 10, 0, 5), datetime.datetime(2025, 3, 11, 20, tzinfo=UTC),
        datetime.datetime(2025, 3, 11, 23, tzinfo=UTC)]
    wrong = f"{head}I-1,Outage,2025-03-10,,2025-03-10 12:00,2025-03-10 11:59,,\n"
    answer = imported(place.manager, wrong.encode(), **fields)
    assert [(error.column, error.message) for error in answer.errors] == [("Seen", "is before the occurred_time")]
    again = imported(place.manager, f"{head}{row}2025-03-11T20:00:00Z,2025-03-12T01:00:00+02:00\n".encode(), **fields)
    assert (again.updated, again.unchanged) == (0, 1)


def test_the_same_clock_time_with_and_without_a_zone_is_told_apart(place):
    metric = place.metric()
    done = imported(place.manager, b"When,What\n2025-03-08 12:00,1\n2025-03-08T12:00:00Z,2\n", metric_id=metric,
                    columns=columns({"When": "observed_time", "What": "value"}))
    assert (done.state, done.created) == (DONE, 2), done.errors
    kept = place.measured(metric)
    assert moment_of(kept[1].observed_time) == place.moment(2025, 3, 8, 12)
    assert moment_of(kept[2].observed_time) == datetime.datetime(2025, 3, 8, 12, tzinfo=UTC)


def test_the_first_and_the_last_moments_there_are(place):
    metric = place.metric()
    done = imported(place.manager, b"When,What\n0001-01-01,1\n9999-12-31 23:59:59,2\n", metric_id=metric,
                    columns=columns({"When": "observed_time", "What": "value"}))
    assert (done.state, done.created) == (DONE, 2), done.errors
    assert {item.observed_time.ToJsonString()[:4] for item in place.measured(metric).values()} == {"0001", "9999"}


def test_a_workbooks_times_are_local(place):
    openpyxl = pytest.importorskip("openpyxl", reason="python3-openpyxl is not installed")
    metric, book, out = place.metric(), openpyxl.Workbook(), io.BytesIO()
    for row in (("When", "What"), (datetime.date(2025, 2, 1), 1), (datetime.datetime(2025, 7, 2, 15, 22), 2),
                ("Mar 2025", 3), ("2025-04-01T12:00:00Z", 4)):
        book.active.append(row)
    book.save(out)
    done = imported(place.manager, out.getvalue(), file_name="values.xlsx", metric_id=metric,
                    columns=columns({"When": "observed_time", "What": "value"}))
    assert (done.state, done.created) == (DONE, 4), done.errors
    assert {value: moment_of(item.observed_time) for value, item in place.measured(metric).items()} == {
        1: place.moment(2025, 2, 1), 2: place.moment(2025, 7, 2, 15, 22), 3: place.moment(2025, 3, 1),
        4: datetime.datetime(2025, 4, 1, 12, tzinfo=UTC)}
