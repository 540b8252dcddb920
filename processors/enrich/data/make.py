#!/usr/bin/env python3
"""Makes the tables of waybill-enrich: places.bin, countries.tsv, airports.tsv, terminals.tsv.

    python3 -m venv /tmp/places && /tmp/places/bin/pip install \
        pyunlocode==0.1.0 tzfpy==2.1.1 tzdata==2026.6 airportsdata==20260905
    /tmp/places/bin/python make.py "SMDG Terminal Code List.csv"

What comes from where, and under which licence, stands in SOURCES.md. The same packages give the
same bytes.

places.bin (integers little endian; src/places.rs reads it in place, without unpacking):

    count u32, zone_count u32, pool_length u32
    count records of 18 bytes, ascending by code:
        code       5 bytes  UN/LOCODE
        name       u24      offset into the pool
        latitude   i16      minutes of arc, north positive; -32768: not known
        longitude  i16      minutes of arc, east positive; -32768: not known
        zone       u16      index of the zone; 65535: not known
        division   3 bytes  ISO 3166-2 subdivision without its country, blanks behind; blank: none
        functions  u8       of the place, bit n: function n + 1 of UN/LOCODE (0 port, 1 rail, 2 road,
                            3 airport, 4 post, 5 inland port, 6 fixed transport, 7 border crossing)
    pool: texts, UTF-8, each behind its length in bytes (u8)
    zones: zone_count texts, IANA names, each behind its length in bytes (u8)
"""

import collections
import csv
import importlib.util
import pathlib
import re
import struct
import sys

import airportsdata
import tzdata
import tzfpy

HERE = pathlib.Path(__file__).parent
UNKNOWN = -32768
NO_ZONE = 65535
COORDINATES = re.compile(r"^(\d\d)(\d\d)([NS]) (\d\d\d)(\d\d)([EW])$")


def unlocode_rows():
    """The rows of UN/LOCODE 2023-1 with a location code, but no reference entries ("Peking =
    Beijing"): 115,916. Rows that are marked as changed or to be removed are locations too."""
    folder = pathlib.Path(importlib.util.find_spec("pyunlocode").origin).parent / "csv"
    for part in (1, 2, 3):
        path = folder / f"2023-1 UNLOCODE CodeListPart{part}.csv"
        with open(path, encoding="latin-1", newline="") as file:
            for row in csv.reader(file):
                if row[0] != "=" and row[2]:
                    yield row


def coordinates(text):
    """DDMM[NS] DDDMM[EW] as minutes of arc; None if absent or out of range."""
    found = COORDINATES.match(text.strip())
    if not found:
        return None
    lat_d, lat_m, ns, lon_d, lon_m, ew = found.groups()
    lat = (int(lat_d) * 60 + int(lat_m)) * (1 if ns == "N" else -1)
    lon = (int(lon_d) * 60 + int(lon_m)) * (1 if ew == "E" else -1)
    if abs(lat) > 90 * 60 or abs(lon) > 180 * 60 or int(lat_m) > 59 or int(lon_m) > 59:
        return None
    return lat, lon


def tab(name):
    """A table of the tz database: rows without comments."""
    text = (pathlib.Path(tzdata.__file__).parent / "zoneinfo" / name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and line[0] != "#"]


def functions(text):
    """Eight characters, each its number or a dash; B for a border crossing at the end."""
    bits = 0
    for n, letter in enumerate(text[:8]):
        if letter in "1234567B":
            bits |= 1 << n
    return bits


class Place:
    def __init__(self, row):
        self.code = row[1] + row[2]
        self.country = row[1]
        self.name = row[3].strip()
        self.subdivision = row[5].strip()
        self.functions = functions(row[6])
        self.iata = row[9].strip()
        self.at = coordinates(row[10])
        self.zone = None


def read_places():
    places = {}
    for row in unlocode_rows():
        place = Place(row)
        known = places.get(place.code)
        # A code with two spellings has two rows: the first is kept, but for coordinates.
        if known is None:
            places[place.code] = place
        elif known.at is None:
            known.at = place.at
    with open(HERE / "overlay.tsv", encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                continue
            code, lat, lon, name = line.rstrip("\n").split("\t")
            place = places[code]
            place.at = (round(float(lat) * 60), round(float(lon) * 60))
            place.name = name or place.name
    return [places[code] for code in sorted(places)]


def give_zones(places):
    """By this order: the country's only zone; the zone of the coordinates, if the country has
    it; the zone that the places of the subdivision agree on; the zone of the nearest place of
    the country. The tz database says which zones a country has: coordinates in minutes of arc
    put ports into the sea and border towns abroad."""
    of_country = collections.defaultdict(set)
    for country, _, zone, *_ in tab("zone.tab"):
        of_country[country].add(zone)
    agreed = collections.defaultdict(collections.Counter)
    located = collections.defaultdict(list)
    for place in places:
        zones = of_country[place.country]
        if len(zones) == 1:
            (place.zone,) = zones
        elif place.at:
            zone = tzfpy.get_tz(place.at[1] / 60, place.at[0] / 60)
            if zone in zones:
                place.zone = zone
                agreed[place.country, place.subdivision][zone] += 1
                located[place.country].append(place)
    for place in places:
        if place.zone:
            continue
        counts = agreed[place.country, place.subdivision]
        if place.subdivision and counts:
            zone, count = counts.most_common(1)[0]
            if count >= 0.98 * counts.total():
                place.zone = zone
                continue
        if place.at and located[place.country]:
            near = min(located[place.country], key=lambda other: distance(place.at, other.at))
            place.zone = near.zone
    return {country: next(iter(z)) for country, z in of_country.items() if len(z) == 1}


def distance(a, b):
    """Only to compare; minutes of arc, longitudes folded."""
    lon = abs(a[1] - b[1]) % (360 * 60)
    return (a[0] - b[0]) ** 2 + min(lon, 360 * 60 - lon) ** 2


def text(value):
    data = value.encode("utf-8")
    while len(data) > 255:
        value = value[:-1]
        data = value.encode("utf-8")
    return bytes([len(data)]) + data


def write_places(places):
    zones = sorted({place.zone for place in places if place.zone})
    number = {zone: n for n, zone in enumerate(zones)}
    pool, offsets, records = bytearray(), {}, bytearray()
    for place in places:
        if place.name not in offsets:
            offsets[place.name] = len(pool)
            pool += text(place.name)
        lat, lon = place.at or (UNKNOWN, UNKNOWN)
        records += place.code.encode("ascii")
        records += struct.pack("<I", offsets[place.name])[:3]
        records += struct.pack("<hhH", lat, lon, number.get(place.zone, NO_ZONE))
        division = place.subdivision if place.subdivision.isascii() else ""
        records += division[:3].ljust(3).encode("ascii")
        records.append(place.functions)
    if len(pool) >= 1 << 24:
        raise SystemExit("the pool has outgrown its offsets")
    head = struct.pack("<III", len(places), len(zones), len(pool))
    (HERE / "places.bin").write_bytes(head + records + pool + b"".join(map(text, zones)))
    with_at = sum(place.at is not None for place in places)
    with_zone = sum(place.zone is not None for place in places)
    print(f"{len(places)} places, {with_at} with coordinates, {with_zone} with a zone,",
          f"{len(zones)} zones")


def write_countries(only_zone):
    """ISO 3166-1 alpha-2, the only zone of the country or nothing, names in upper case."""
    names = {code: [name.upper()] for code, name in tab("iso3166.tab")}
    folder = pathlib.Path(importlib.util.find_spec("pyunlocode").origin).parent / "csv"
    for part in (1, 2, 3):
        path = folder / f"2023-1 UNLOCODE CodeListPart{part}.csv"
        with open(path, encoding="latin-1", newline="") as file:
            for row in csv.reader(file):
                if row[3].startswith(".") and row[1] in names:
                    names[row[1]].append(row[3][1:].strip().upper().removesuffix(" (THE)"))
    lines = [
        "\t".join([code, only_zone.get(code, ""), *dict.fromkeys(given)])
        for code, given in sorted(names.items())
    ]
    (HERE / "countries.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    print(len(lines), "countries")


AIRPORT = 1 << 3


def write_airports(places):
    """IATA code, country, latitude, longitude, zone, name, UN/LOCODE. A code of a city with
    several airports (LON) stands where the first of them is."""
    codes = {place.code for place in places}
    by_iata = {}
    for place in places:
        if place.iata:
            by_iata.setdefault((place.country, place.iata), place.code)
    for place in places:
        if place.functions & AIRPORT and not place.iata:
            by_iata.setdefault((place.country, place.code[2:]), place.code)
    airports = airportsdata.load("IATA")
    rows = {
        code: (a["country"], a["lat"], a["lon"], a["tz"], a["city"] or a["name"])
        for code, a in airports.items()
    }
    for code, city in airportsdata.load_iata_macs().items():
        first = next((airports[a] for a in city["airports"] if a in airports), None)
        if first and code not in rows:
            if first["country"] + code in codes:  # London is listed as a port
                by_iata.setdefault((first["country"], code), first["country"] + code)
            rows[code] = (first["country"], first["lat"], first["lon"], first["tz"], first["city"])
    lines = [
        "\t".join([code, country, f"{lat:.4f}", f"{lon:.4f}", zone, name.strip(),
                   by_iata.get((country, code), "")])
        for code, (country, lat, lon, zone, name) in sorted(rows.items())
        if re.fullmatch("[A-Z]{3}", code)
    ]
    (HERE / "airports.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    print(len(lines), "airports and cities,", sum(l[-1] != "\t" for l in lines), "with a UN/LOCODE")


def write_terminals(path):
    """UN/LOCODE, SMDG code, latitude, longitude, name."""
    rows = set()
    with open(path, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            code, terminal = row["UNLOCODE"].strip(), row["Terminal Code"].strip()
            if len(code) != 5 or not terminal.strip("X"):  # XXXXX: none is known
                continue
            at = [row["Latitude"].strip(), row["Longitude"].strip()]
            at = [f"{float(n):.4f}" for n in at] if all(at) else ["", ""]
            rows.add((code, terminal, *at, " ".join(row["Terminal Facility Name"].split())))
    lines = ["\t".join(row) for row in sorted(rows)]
    (HERE / "terminals.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    print(len(lines), "terminals")


if __name__ == "__main__":
    all_places = read_places()
    write_terminals(sys.argv[1])
    write_countries(give_zones(all_places))
    write_places(all_places)
    write_airports(all_places)
