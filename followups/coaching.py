"""When a call is best tried. Pure: instants and zones in, times and words out; no database.

The two windows, and changing between them from try to try, are coaching practice: people who are
hard to reach are at their desks before the day's meetings begin and after they are over.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from followups.models import Window
from followups.schedule import WorkCalendar, say_day

HOURS = {
    Window.MORNING: (time(8, 30), time(10)),
    Window.AFTERNOON: (time(16), time(17, 30)),
}


def window_of(instant: datetime, zone: str) -> Window:
    """Return the part of the day in which a call at that aware instant fell, in the IANA zone."""
    noon = time(12)
    before_noon = instant.astimezone(ZoneInfo(zone)).time() < noon
    return Window.MORNING if before_noon else Window.AFTERNOON


def other(window: Window) -> Window:
    """Return the window to try next time."""
    return Window.AFTERNOON if window == Window.MORNING else Window.MORNING


def say(window: Window) -> str:
    """Return a window in words."""
    return "before ten" if window == Window.MORNING else "after four"


@dataclass(frozen=True)
class CallTime:
    """A window on one day: when it begins and ends, as aware datetimes in the contact's zone, and
    the same two in the user's."""

    window: Window
    start: datetime
    end: datetime
    my_start: datetime
    my_end: datetime

    def words(self, name: str, today: date) -> str:
        """Return when to call, seen from the user's local date `today`: Thursday before ten.

        Who lives by another clock than `name` reads both, with the day where it is another one.
        """
        if (self.start.date(), self.start.time()) == (self.my_start.date(), self.my_start.time()):
            return f"{_day(self.start.date(), today)} {say(self.window)}"
        if {self.my_start.date(), self.my_end.date()} == {self.start.date()}:
            theirs = f"{_day(self.start.date(), today)} between {_hours(self.start, self.end)}"
            return f"{theirs} for {name}, {_hours(self.my_start, self.my_end)} for you"
        theirs = f"{self.start:%A} between {_hours(self.start, self.end)}"
        return f"{theirs} for {name}, {_hours_of_days(self.my_start, self.my_end)} for you"


def call_time(day: date, window: Window, contact_zone: str, user_zone: str) -> CallTime:
    """Return the window on the contact's local `day`.

    An hour that the clock skips is taken just after the gap, one that comes twice the first time
    (fold=0, PEP 495).
    """
    theirs, mine = ZoneInfo(contact_zone), ZoneInfo(user_zone)
    start, end = (datetime.combine(day, at, theirs).astimezone(UTC) for at in HOURS[window])
    return CallTime(
        window,
        start.astimezone(theirs),
        end.astimezone(theirs),
        start.astimezone(mine),
        end.astimezone(mine),
    )


def next_call(
    now: datetime,
    due: date,
    window: Window,
    contact_zone: str,
    user_zone: str,
    calendar: WorkCalendar,
) -> CallTime:
    """Return the window in which to call: `window` on the day that is due, or on today if that is
    later; once it is over, the next one of either that has not ended. Never on a day off."""
    today = now.astimezone(ZoneInfo(contact_zone)).date()
    day = calendar.on_or_after(max(due, today))
    wished = [(day, window), *((day, part) for part in HOURS)]
    # The next work day is still to come, so one is always found.
    wished.append((calendar.add(day, 1), Window.MORNING))
    times = (call_time(on, part, contact_zone, user_zone) for on, part in wished)
    return next(found for found in times if found.end > now)


def _day(day: date, today: date) -> str:
    """Return a day in words: today, tomorrow, Thursday, Thu 12 Nov."""
    ahead = (day - today).days
    near = {0: "today", 1: "tomorrow"}
    return near.get(ahead) or (f"{day:%A}" if 1 < ahead < 7 else say_day(day))


def _clock(at: datetime) -> str:
    return f"{at.hour}:{at:%M}"


def _hours(start: datetime, end: datetime) -> str:
    return f"{_clock(start)} and {_clock(end)}"


def _hours_of_days(start: datetime, end: datetime) -> str:
    """Return hours with their day, which may end within them."""
    if start.date() == end.date():
        return f"{start:%A} between {_hours(start, end)}"
    return f"{start:%A} {_clock(start)} to {end:%A} {_clock(end)}"
