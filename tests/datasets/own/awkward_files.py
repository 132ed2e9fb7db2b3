"""Small awkward text files, and what a careful person reads in them."""

import datetime as dt
from dataclasses import dataclass, field

NUMBER, DATE, TEXT = "number", "date", "text"


@dataclass(frozen=True)
class Case:
    """A file, how it is to be read, its columns' kinds by name, and the values of its first row where given."""

    name: str
    content: bytes
    columns: dict[str, str]
    n_rows: int
    delimiter: str = ","
    encoding: str = "utf-8"
    has_header: bool = True
    decimal: str = "."
    first: tuple = field(default=())


CASES: list[Case] = []
_NAMES = ("length", "width", "species")
_FLOWERS = [
    (5.1, 3.5, "setosa"),
    (4.9, 3.0, "setosa"),
    (6.2, 2.9, "virginica"),
    (5.9, 3.0, "virginica"),
    (6.0, 2.2, "versicolor"),
    (5.5, 2.3, "versicolor"),
]
_COMMAS = [(str(length).replace(".", ","), str(width).replace(".", ","), name) for length, width, name in _FLOWERS]


def _join(names, rows, delimiter=",", end="\n"):
    return "".join(delimiter.join(map(str, row)) + end for row in ([names] if names else []) + list(rows))


def _add(name, text, kinds="nnt", names=_NAMES, n_rows=6, encoding="utf-8", **expected):
    """`kinds` has one letter a column: number, date or text."""
    letters = {"n": NUMBER, "d": DATE, "t": TEXT}
    columns = dict(zip(names, (letters[kind] for kind in kinds), strict=True))
    CASES.append(Case(name, text.encode(encoding), columns, n_rows, encoding=encoding, **expected))


_PLAIN = _join(_NAMES, _FLOWERS)
_UMLAUTS = [(1.5, 2, "Köln"), (2.5, 3, "München"), (3.5, 4, "Zürich"), (4.5, 5, "Köln"), (5.5, 6, "Genève")]
_DAY = dt.date(2024, 1, 31)

# Encodings.
_add("plain", _PLAIN, first=_FLOWERS[0])
_add("byte order mark", _PLAIN, encoding="utf-8-sig")
_add("utf-16", _PLAIN, encoding="utf-16")
_add("utf-16 without a mark", _PLAIN, encoding="utf-16-le")
_GERMAN = {"kinds": "nnt", "names": ("länge", "größe", "stadt"), "n_rows": 5, "first": _UMLAUTS[0]}
_add("umlauts in latin-1", _join(("länge", "größe", "stadt"), _UMLAUTS), encoding="cp1252", **_GERMAN)
_add("umlauts in utf-8", _join(("länge", "größe", "stadt"), _UMLAUTS), **_GERMAN)
_add("euro in cp1252", "id_,price\na,5 €\nb,6 €\nc,7 €\n", "tn", ("id_", "price"), 3, "cp1252", first=("a", 5))
_JAPANESE = "都市,人口,面積\n東京都,13960000,2194.1\n大阪府,8837000,1905.3\n北海道,5224000,83424.4\n"
_add("Japanese in cp932", _JAPANESE, "tnn", ("都市", "人口", "面積"), 3, "cp932", first=("東京都", 13960000, 2194.1))
_RUSSIAN = "Город;Население;Площадь\nМосква;13010112;2561,5\nКазань;1308660;588,2\nОмск;1125695;566,9\n"
_RUSSIAN_NAMES = ("Город", "Население", "Площадь")
_add("Russian in cp1251", _RUSSIAN, "tnn", _RUSSIAN_NAMES, 3, "cp1251", delimiter=";", decimal=",")

_CZECH = "město;počet\nBrno;400000\nPlzeň;180000\nPříbram;32000\nÚstí;90000\n"
_add("Czech in cp1250", _CZECH, "tn", ("město", "počet"), 4, "cp1250", delimiter=";")
_add("signs in cp1252", "length,cost\n5 m²,£5\n6 m²,£7\n8 m²,£9\n", "tn", ("length", "cost"), 3, "cp1252")

# Delimiters and line ends.
_add("semicolons, decimal comma", _join(_NAMES, _COMMAS, ";"), delimiter=";", decimal=",", first=_FLOWERS[0])
_add("semicolons, decimal point", _join(_NAMES, _FLOWERS, ";"), delimiter=";")
_add("tabs", _join(_NAMES, _FLOWERS, "\t"), delimiter="\t")
_add("tabs, decimal comma", _join(_NAMES, _COMMAS, "\t"), delimiter="\t", decimal=",")
_add("pipes", _join(_NAMES, _FLOWERS, "|"), delimiter="|")
_add("spaces", _join(_NAMES, _FLOWERS, " "), delimiter=" ")
_add("colons", _join(_NAMES, _FLOWERS, ":"), delimiter=":")
_ALIGNED = "".join(f"{length:>6}  {width:>5} {name:<12}".rstrip() + "\n" for length, width, name in _FLOWERS)
_add("aligned by spaces", "length width species\n" + _ALIGNED, delimiter=" ")
_add("line ends of Windows", _join(_NAMES, _FLOWERS, end="\r\n"))
_add("line ends of old Macs", _join(_NAMES, _FLOWERS, end="\r"))
_add("no last line end", _PLAIN.rstrip("\n"))
_add("lines end with a delimiter", _join(_NAMES, _FLOWERS, end=",\n"))
_add("rows end with a delimiter", _join((), [_NAMES]) + _join((), _FLOWERS, end=",\n"))
_add("Excel's line sep=", "sep=;\n" + _join(_NAMES, _COMMAS, ";"), delimiter=";", decimal=",")
_add("spaces around cells", _join(_NAMES, _FLOWERS, " , "), first=_FLOWERS[0])
_COMMENTS = "id;comment;x\n1;well, yes;1\n2;a, b, c;2\n3;no;3\n4;one, two;4\n"
_add("commas in text", _COMMENTS, "ntn", ("id", "comment", "x"), 4, delimiter=";")

# Quotes.
_NOTES = 'name,note,score\n"A","one\ntwo",1\n"B","three",2\n"C","four\nfive\nsix",3\n"D","x",4\n'
_add("line ends in quotes", _NOTES, "ttn", ("name", "note", "score"), 4, first=("A", "one\ntwo", 1))
_PEOPLE = (
    'name,city,score\n"Miller, Anna","Paris, France",1.5\n"Stone, Bob","Bonn, Germany",2.5\n"Hill, C","Rome, I",3\n'
)
_MILLER = ("Miller, Anna", "Paris, France", 1.5)
_add("delimiters in quotes", _PEOPLE, "ttn", ("name", "city", "score"), 3, first=_MILLER)
_SAID = 'quote,score\n"He said ""no""",1\n"She said ""yes""",2\n"plain",3\n'
_add("doubled quotes", _SAID, "tn", ("quote", "score"), 3, first=('He said "no"', 1))
_add(
    "everything in quotes",
    '"length","width","species"\n' + "".join('"{}","{}","{}"\n'.format(*row) for row in _FLOWERS),
)
_add("single quotes", "'name','score'\n'Ann, B',1\n'Cy, D',2\n'E, F',3\n", "tn", ("name", "score"), 3)
_BRIEN = (
    '"id","created_at","name","amount"\n"1","2024-01-31 10:00:00.000","O\'Brien","10.50"\n'
    '"2","2024-02-29 11:00:00.000",NULL,"NULL"\n"3","2024-03-01 12:00:00.000","Smith \\"Jr\\"","7.25"\n'
)
_add("SQL with escaped quotes", _BRIEN, "ndtn", ("id", "created_at", "name", "amount"), 3)

# Lines that are no rows, and rows of other lengths.
_add("comments first", "# written by station 12\n# units: cm\n" + _PLAIN)
_add("a title first", "Report of 2024\n\n" + _PLAIN)
_add("blank lines after each row", _PLAIN.replace("\n", "\n\n"))
_add("blank lines in between", _PLAIN.replace("virginica\n", "virginica\n\n\n"))
_ABC = {"kinds": "nnn", "names": ("a", "b", "c")}
_add("a short row", "a,b,c\n1,2,3\n4,5\n7,8,9\n1,2,3\n4,5,6\n", n_rows=5, **_ABC)
_add("a long row", "a,b,c\n1,2,3\n4,5,6,7\n7,8,9\n1,2,3\n4,5,6\n", n_rows=4, **_ABC)
_add("comments in between", "a,b,c\n1,2,3\n# battery changed\n4,5,6\n7,8,9\n", n_rows=3, **_ABC)
_add("headers in between", "a,b,c\n1,2,3\n4,5,6\na,b,c\n7,8,9\n3,2,1\n", n_rows=4, **_ABC)
_add("a header in a comment", "# made by NumPy\n# a b c\n1.5 2 3\n4 5.5 6\n", n_rows=2, delimiter=" ", **_ABC)
_add("a row of units", "length,width,species\ncm,cm,\n" + _join((), _FLOWERS), first=_FLOWERS[0])
_add("a line of totals", "a,b\n1,2\n3,4\n5,6\nTotal: 3 rows\n", "nn", ("a", "b"), 3)

# Headers.
_add("repeated names", "a,a,b\n1,2,x\n3,4,y\n5,6,x\n", "nnt", ("a", "a_2", "b"), 3)
_add("an empty name", ",x,y\n0,1.5,a\n1,2.5,b\n2,3.5,a\n", "nnt", ("column_1", "x", "y"), 3)
_add("R's row names", '"x","y"\n"1",1.5,"a"\n"2",2.5,"b"\n"3",3.5,"a"\n', "nnt", ("column_1", "x", "y"), 3)
_THREE = ("column_1", "column_2", "column_3")
_add("no header", _join((), _FLOWERS), names=_THREE, has_header=False, first=_FLOWERS[0])
_NUMBERS = [(1.5, 2, 3), (4, 5.5, 6), (7, 8, 9.5), (1, 2, 3)]
_add("numbers as names", "0,1,2\n0.5,1.5,x\n2.5,3.5,y\n", names=("0", "1", "2"), n_rows=2)
_add("no header, only numbers", _join((), _NUMBERS), "nnn", _THREE, 4, has_header=False)
_YEARS = "country,2019,2020,2021\nA,1.5,2.5,3.5\nB,2.5,3.5,4.5\nC,3.5,4.5,5.5\n"
_add("years as names", _YEARS, "tnnn", ("country", "2019", "2020", "2021"), 3)
_add("only text", "name,city\nAnn,Paris\nBob,Rome\nCy,Paris\nDi,Rome\n", "tt", ("name", "city"), 4)

# Numbers.
_PEOPLE_COUNT = {"kinds": "tn", "names": ("city", "people"), "n_rows": 3}
_add("commas of thousands", 'city,people\nA,"1,234,567"\nB,"12,345"\nC,"999"\n', first=("A", 1234567), **_PEOPLE_COUNT)
_AREAS = "city;people;area\nA;1.234.567;12,5\nB;12.345;3,25\nC;1.999;8,75\n"
_AREA_NAMES = ("city", "people", "area")
_add("points of thousands", _AREAS, "tnn", _AREA_NAMES, 3, delimiter=";", decimal=",", first=("A", 1234567, 12.5))
_SPACED = "city;people\nA;1 234 567\nB;12 345\nC;999\n"
_add("spaces of thousands", _SPACED, delimiter=";", first=("A", 1234567), **_PEOPLE_COUNT)
_SWISS = "city;people\nA;1'234'567.5\nB;12'345.25\nC;999.75\n"
_add("apostrophes of thousands", _SWISS, delimiter=";", first=("A", 1234567.5), **_PEOPLE_COUNT)
_add("percent", "name,share\na,12.5%\nb,7%\nc,80.25%\n", "tn", ("name", "share"), 3, first=("a", 12.5))
_PERCENT = "name;share\na;12,5 %\nb;7 %\nc;80,25 %\n"
_add("percent after a space", _PERCENT, "tn", ("name", "share"), 3, delimiter=";", decimal=",", first=("a", 12.5))
_add("currency", "item,price\na,$5.50\nb,$1200.00\nc,$7.25\n", "tn", ("item", "price"), 3, first=("a", 5.5))
_PROFIT = "item,profit\na,(5.50)\nb,12.00\nc,(7.25)\n"
_add("negative in parentheses", _PROFIT, "tn", ("item", "profit"), 3, first=("a", -5.5))
_SAP = "Konto;Saldo\n4711;1.234,50-\n4712;99,00\n4713;12,75-\n"
_add("minus at the end", _SAP, "nn", ("Konto", "Saldo"), 3, delimiter=";", decimal=",", first=(4711, -1234.5))
_add("scientific", "x,y\n1e-3,a\n2.5E+4,b\n-3e5,a\n", "nt", ("x", "y"), 3, first=(0.001, "a"))
_add("one column of numbers", "x\n1.5\n2.5\n3.5\n4.5\n", "n", ("x",), 4)
_add(
    "one column of decimal commas", "x\n1,5\n2,5\n3,5\n4,5\n", "n", ("x",), 4, delimiter=";", decimal=",", first=(1.5,)
)
_BLANKS = [("\u00a05.1", 3.5, "a"), ("4.9\u00a0", 3.0, "b"), (6.1, 2.2, "a")]
_add("no-break spaces", _join(_NAMES, _BLANKS), n_rows=3, first=(5.1, 3.5, "a"))
_add("minus signs of print", "a,b\n−1.5,x\n2.5,y\n−3.0,x\n", "nt", ("a", "b"), 3, first=(-1.5, "x"))

# Digits that are no numbers.
_add("leading zeros", "zip,x\n01067,1\n10115,2\n00501,3\n", "tn", ("zip", "x"), 3, first=("01067", 1))
_CARDS = "card,x\n4539578763621486123,1\n4539578763621486124,2\n4539578763621486999,3\n"
_add("many digits", _CARDS, "tn", ("card", "x"), 3, first=("4539578763621486123", 1))
_add("telephones", "phone,x\n+49 30 1234,1\n+49 89 5678,2\n+44 20 9999,3\n", "tn", ("phone", "x"), 3)
_add("hexadecimal", "code,x\n0x1F,1\n0xA0,2\n0xFF,3\n", "tn", ("code", "x"), 3, first=("0x1F", 1))
_add("times of day", "t,x\n12:30,1\n13:45,2\n09:10,3\n", "tn", ("t", "x"), 3)
_add("mixed booleans", "ok,x\ntrue,1\nFalse,2\nYES,3\nno,4\n", "tn", ("ok", "x"), 4)

# Missing cells.
for _sign in ("NA", "?", "-"):
    _add(f"missing {_sign}", f"x,y\n1.5,a\n{_sign},b\n3.5,a\n-4,b\n", "nt", ("x", "y"), 4)
_add("many words for missing", "x,y\n1.5,a\nNULL,b\nNone,a\nn/a,b\nnan,a\n.,b\n4.5,a\n", "nt", ("x", "y"), 7)
_add("infinities", "x,y\n1.5,a\ninf,b\n-inf,a\n4,b\n", "nt", ("x", "y"), 4)

# Dates.
for _name, _days in {
    "year first": ("2024-01-31", "2024-02-29", "2024-12-01"),
    "day first": ("31/01/2024", "29/02/2024", "01/12/2024"),
    "month first": ("01/31/2024", "02/29/2024", "12/01/2024"),
    "months by name": ("31 Jan 2024", "29 Feb 2024", "1 Dec 2024"),
    "dates of SAS": ("31JAN2024", "29FEB2024", "01DEC2024"),
    "dates of Matlab": ("31-Jan-2024", "29-Feb-2024", "01-Dec-2024"),
    "dates of America": ('"Jan 31, 2024"', '"Feb 29, 2024"', '"Dec 1, 2024"'),
}.items():
    _add(_name, _join(("day", "x"), zip(_days, (1, 2, 3), strict=True)), "dn", ("day", "x"), 3, first=(_DAY, 1))
_GERMAN_DAYS = "day;x\n31.01.2024;1,5\n29.02.2024;2,5\n01.12.2024;3,5\n"
_add("dates of Germany", _GERMAN_DAYS, "dn", ("day", "x"), 3, delimiter=";", decimal=",", first=(_DAY, 1.5))
_TIMES = "when,x\n2024-01-31 12:30:00,1\n2024-02-29 13:45:10,2\n2024-12-01 00:00:00,3\n"
_add("dates with times", _TIMES, "dn", ("when", "x"), 3)
_ZONES = "when,x\n2024-01-31T12:30:00Z,1\n2024-02-29T13:45:10Z,2\n2024-12-01T00:00:00+02:00,3\n"
_add("dates with time zones", _ZONES, "dn", ("when", "x"), 3)
_add("Excel's days", "date,x\n45322,1\n45351,2\n45627,3\n45300,4\n", "dn", ("date", "x"), 4, first=(_DAY, 1))

# Files as programs, offices and devices write them.
_add(
    "pandas with an index",
    ",when,ok,tags,value\n0,2024-01-31 00:00:00,True,\"['a', 'b']\",1.5\n1,,False,[],\n"
    "2,2024-03-01 06:30:00,True,['c'],3.0\n",
    "ndttn",
    ("column_1", "when", "ok", "tags", "value"),
    3,
    first=(0, _DAY, "True", "['a', 'b']", 1.5),
)
_add(
    "R's write.table",
    '"speed" "model name" "dist"\n"1" 4 "Mazda RX4" 2.5\n"2" 4 "Datsun 710" NA\n"3" 7 "Valiant" 4\n',
    "nntn",
    ("column_1", "speed", "model name", "dist"),
    3,
    delimiter=" ",
    first=(1, 4, "Mazda RX4", 2.5),
)
_add(
    "R's write.csv2",
    '"";"x";"y"\n"1";1,5;"a"\n"2";NA;"b, c"\n"3";3,25;"a"\n',
    "nnt",
    ("column_1", "x", "y"),
    3,
    delimiter=";",
    decimal=",",
    first=(1, 1.5, "a"),
)
_add(
    "SAS with periods",
    "Name,Sex,Age,Height,Visit\nAlfred,M,14,69.5,01/31/2024\nAlice,F,.,56.5,02/15/2024\nBarbara,F,13,.,03/01/2024\n",
    "ttnnd",
    ("Name", "Sex", "Age", "Height", "Visit"),
    3,
    first=("Alfred", "M", 14, 69.5, _DAY),
)
_add(
    "psql's printed table",
    " id |  name  | amount \n----+--------+--------\n  1 | Anna   |  10.50\n  2 | Bob    |   7.25\n"
    "  3 | Céline |       \n(3 rows)\n",
    "ntn",
    ("id", "name", "amount"),
    3,
    delimiter="|",
    first=(1, "Anna", 10.5),
)
_add(
    "MySQL's NULL in tabs",
    "id\tcreated\tname\tscore\n1\t2024-01-31 10:00:00\tAnna\t1.5\n2\t\\N\tBob\t\\N\n3\t2024-03-01 12:00:00\t\\N\t2.5\n",
    "ndtn",
    ("id", "created", "name", "score"),
    3,
    delimiter="\t",
)
_add(
    "German Excel",
    "Datum;Menge;Preis;Aktiv\r\n31.01.2024;1.200;3,50 €;WAHR\r\n29.02.2024;800;12,00 €;FALSCH\r\n"
    "01.03.2024;2.150;1.003,25 €;WAHR\r\n",
    "dnnt",
    ("Datum", "Menge", "Preis", "Aktiv"),
    3,
    "cp1252",
    delimiter=";",
    decimal=",",
    first=(_DAY, 1200, 3.5, "WAHR"),
)
_add(
    "French Excel",
    "Date;Montant;Ville\r\n31/01/2024;1\u00a0234,50;Orléans\r\n29/02/2024;99,00;Besançon\r\n"
    "01/03/2024;12\u00a0000,75;Nîmes\r\n",
    "dnt",
    ("Date", "Montant", "Ville"),
    3,
    "cp1252",
    delimiter=";",
    decimal=",",
    first=(_DAY, 1234.5, "Orléans"),
)
_add(
    "Excel's Unicode text",
    'name\tcity\tvalue\r\n"Smith, J"\tŁódź\t1.5\r\nLee\tBrno\t2.5\r\nKim\t"A ""B"""\t3.5\r\n',
    "ttn",
    ("name", "city", "value"),
    3,
    "utf-16",
    delimiter="\t",
    first=("Smith, J", "Łódź", 1.5),
)
_add("Excel's empty columns and rows", "a,b,,\n1,x,,\n2,y,,\n3,x,,\n,,,\n,,,\n", "nt", ("a", "b"), 3, first=(1, "x"))
_add(
    "Matlab's save -ascii",
    "   1.0000000e+00   2.5000000e+00  -3.0000000e+00\n   4.0000000e+00   5.5000000e+00   6.0000000e+00\n"
    "   7.0000000e+00   8.5000000e+00             NaN\n",
    "nnn",
    _THREE,
    3,
    delimiter=" ",
    has_header=False,
    first=(1, 2.5, -3),
)
_add(
    "an office's table with notes",
    '"Table 3: Population by region, 2019 to 2021"\n"Source: Office of Statistics, release of 1 March 2022"\n\n'
    '"Region","2019","2020","2021"\n"North","1,204","1,250","1,301"\n"South","980","975","1,002"\n'
    '"West","..","410","415"\n\n'
    '"Notes: figures in thousands. .. not available"\n',
    "tnnn",
    ("Region", "2019", "2020", "2021"),
    3,
    first=("North", 1204, 1250, 1301),
)
_add(
    "Eurostat's tabs",
    "freq,unit,geo\\TIME_PERIOD\t2019 \t2020 \t2021 \nA,PC,AT\t1.5 \t1.4 \t2.8 \nA,PC,BE\t1.2 \t: \t3.2 \n"
    "A,PC,CY\t0.5 \t-1.1 \t2.2 \n"
    "A,PC,DE\t1.4 \t0.4 \t3.2 \n",
    "tnnn",
    ("freq,unit,geo\\TIME_PERIOD", "2019", "2020", "2021"),
    4,
    delimiter="\t",
    first=("A,PC,AT", 1.5, 1.4, 2.8),
)
_add(
    "World Bank's lines",
    '"Data Source","World Development Indicators",\n\n"Last Updated Date","2024-03-28",\n\n'
    '"Country Name","Country Code","1960","1961",\n"Aruba","ABW","","1.5",\n"Angola","AGO","2.25","3.5",\n'
    '"Chad","TCD","1.75","2",\n',
    "ttnn",
    ("Country Name", "Country Code", "1960", "1961"),
    3,
    encoding="utf-8-sig",
)
_add(
    "river gauges in tabs",
    "# U.S. Geological Survey\n#\n# retrieved: 2024-02-01\nagency_cd\tsite_no\tdatetime\tgage\n5s\t15s\t20d\t14n\n"
    "USGS\t01646500\t2024-01-31 00:15\t3.41\nUSGS\t01646500\t2024-01-31 00:30\t3.42\n"
    "USGS\t01646500\t2024-01-31 00:45\t3.40\n"
    "USGS\t01646500\t2024-01-31 01:00\t3.39\n",
    "ttdn",
    ("agency_cd", "site_no", "datetime", "gage"),
    4,
    delimiter="\t",
    first=("USGS", "01646500", _DAY, 3.41),
)
_add(
    "a Campbell logger",
    '"TOA5","Hill","CR1000","1234","CR1000.Std.27","CPU:met.CR1","20190","TenMin"\n'
    '"TIMESTAMP","RECORD","Batt_V","Air_C"\n'
    '"TS","RN","Volts","Deg C"\n"","","Min","Avg"\n"2024-01-31 00:00:00",0,12.9,4.25\n'
    '"2024-01-31 00:10:00",1,12.8,4.5\n'
    '"2024-01-31 00:20:00",2,12.8,"NAN"\n"2024-01-31 00:30:00",3,12.7,4.75\n"2024-01-31 00:40:00",4,12.7,5\n',
    "dnnn",
    ("TIMESTAMP", "RECORD", "Batt_V", "Air_C"),
    5,
    first=(_DAY, 0, 12.9, 4.25),
)
_add(
    "a HOBO logger",
    '"Plot Title: 10203040"\n"#","Date Time, GMT+01:00","Temp, °C"\n1,01/31/24 11:50:00 AM,21.5\n'
    "2,01/31/24 12:00:00 PM,21.75\n"
    "3,01/31/24 12:10:00 PM,22\n",
    "ndn",
    ("#", "Date Time, GMT+01:00", "Temp, °C"),
    3,
    first=(1, _DAY, 21.5),
)
_add(
    "a logger without a header",
    "31.01.2024 12:30:00;4,25;OK\n31.01.2024 12:40:00;4,5;OK\n31.01.2024 12:50:00;-0,75;LOW\n"
    "31.01.2024 13:00:00;5;OK\n",
    "dnt",
    _THREE,
    4,
    delimiter=";",
    decimal=",",
    has_header=False,
    first=(_DAY, 4.25, "OK"),
)
_add(
    "a census with spaces after commas",
    "39, State-gov, 77516, Bachelors, <=50K\n50, Self-emp, 83311, Bachelors, <=50K\n"
    "38, ?, 215646, HS-grad, >50K\n53, Private, 234721, 11th, <=50K\n",
    "ntntt",
    tuple(f"column_{k}" for k in range(1, 6)),
    4,
    has_header=False,
    first=(39, "State-gov", 77516, "Bachelors", "<=50K"),
)
_add(
    "cars in aligned columns",
    '18.0   8   307.0      130.0   70  1\t"chevrolet chevelle malibu"\n'
    '25.0   4   98.00      ?       71  1\t"ford pinto"\n'
    '24.0   4   113.0      95.00   70  3\t"toyota corona"\n',
    "nnnnnnt",
    tuple(f"column_{k}" for k in range(1, 8)),
    3,
    delimiter=" ",
    has_header=False,
    first=(18, 8, 307, 130, 70, 1, "chevrolet chevelle malibu"),
)
