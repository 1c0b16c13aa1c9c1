"""What astropy makes of positions and times: a question a line on the standard input, an answer a line on the output.

    to_icrs FRAME EQUINOX LONGITUDE LATITUDE     the right ascension and declination in ICRS, in degrees
    from_icrs FRAME EQUINOX RA DEC               the coordinates in the frame
    pair RA DEC RA DEC                           separation and position angle, in degrees
    iso SCALE TEXT, mjd SCALE DAYS, jd SCALE DAYS    the time in UTC, ISO 8601
    days TEXT                                    the Modified Julian Date of a time in UTC
    hours TEXT, degrees TEXT                     a sexagesimal angle in degrees
    write_hours DIGITS DEGREES, write_degrees DIGITS DEGREES    the angle in sexagesimal

Fields are separated by tabs. Nothing is downloaded.
"""

import collections
import sys
import warnings

import astropy.units as u
from astropy.coordinates import (FK4, FK5, ICRS, Angle, BarycentricMeanEcliptic, Galactic, SkyCoord, UnitSphericalRepresentation,
                                 angular_separation, position_angle)
from astropy.time import Time, TimeDelta
from astropy.utils import data, iers

data.conf.allow_internet = False
iers.conf.auto_download = False
iers.conf.auto_max_age = None
iers.conf.iers_degraded_accuracy = "ignore"
# Years that no leap second is known for.
warnings.filterwarnings("ignore", "ERFA function")


def frame(name, equinox):
    if name == "fk4":
        return FK4(equinox=Time(float(equinox), format="byear"))
    if name == "fk5":
        return FK5(equinox=Time(float(equinox), format="jyear"))
    if name == "ecliptic":
        return BarycentricMeanEcliptic(equinox=Time(float(equinox), format="jyear"))
    return {"icrs": ICRS(), "galactic": Galactic()}[name]


def floats(rows):
    return [[float(value) for value in column] for column in zip(*rows)]


def both(coords):
    sphere = coords.represent_as(UnitSphericalRepresentation)
    return [f"{lon!r}\t{lat!r}" for lon, lat in zip(sphere.lon.deg.tolist(), sphere.lat.deg.tolist())]


def utc(times):
    return [text.replace(" ", "T") for text in times.utc.iso]


def days(scale, rows, form):
    values, = floats(rows)
    if scale == "gps":
        return utc(Time(values, format=form, scale="tai", precision=9) + TimeDelta(19, format="sec"))
    return utc(Time(values, format=form, scale=scale, precision=9))


def answers(kind, rows):
    name, *rest = kind
    if name == "to_icrs":
        lon, lat = floats(rows)
        return both(SkyCoord(lon * u.deg, lat * u.deg, frame=frame(*rest)).icrs)
    if name == "from_icrs":
        lon, lat = floats(rows)
        return both(SkyCoord(lon * u.deg, lat * u.deg, frame="icrs").transform_to(frame(*rest)))
    if name == "pair":
        here = [column * u.deg for column in map(list, floats(rows))]
        separation, angle = angular_separation(*here).to_value(u.deg), position_angle(*here).to_value(u.deg)
        return [f"{a!r}\t{b!r}" for a, b in zip(separation.tolist(), angle.tolist())]
    if name == "iso":
        texts = [text for text, in rows]
        if rest[0] == "gps":
            return utc(Time(texts, scale="tai", precision=9) + TimeDelta(19, format="sec"))
        return utc(Time(texts, scale=rest[0], precision=9))
    if name in ("mjd", "jd"):
        return days(rest[0], rows, name)
    if name == "days":
        return [repr(value) for value in Time([text for text, in rows], scale="utc").mjd.tolist()]
    unit = u.hourangle if name.endswith("hours") else u.deg
    if name in ("hours", "degrees"):
        return [repr(float(Angle(text, unit=unit).deg)) for text, in rows]
    return [
        Angle(float(value) * u.deg).to_string(unit=unit, sep=":", precision=int(rest[0]), pad=True, alwayssign=unit is u.deg)
        for value, in rows
    ]


FIELDS = {"to_icrs": 3, "from_icrs": 3, "iso": 2, "mjd": 2, "jd": 2, "write_hours": 2, "write_degrees": 2}

groups = collections.defaultdict(list)
for at, line in enumerate(sys.stdin):
    fields = line.rstrip("\n").split("\t")
    length = FIELDS.get(fields[0], 1)
    groups[tuple(fields[:length])].append((at, fields[length:]))
found = {}
for kind, questions in groups.items():
    found.update(zip((at for at, _ in questions), answers(kind, [row for _, row in questions]), strict=True))
for at in sorted(found):
    print(found[at])
