"""Small awkward files: content, and what a careful person reads in them."""
from dataclasses import dataclass
import datetime as dt

@dataclass(frozen=True)
class Case:
    name: str
    content: bytes
    columns: dict          # name -> number | date | string
    n_rows: int
    delimiter: str = ","
    encoding: str = "utf-8"
    header: bool = True
    decimal: str = "."
    first: tuple = None    # values of the first row
def rows(head, lines, sep=",", nl="\n"):
    out=[sep.join(head)] if head else []
    return nl.join(out+[sep.join(map(str,l)) for l in lines])+nl
N,D,S="number","date","string"
base=[(5.1,3.5,"setosa"),(4.9,3.0,"setosa"),(6.2,2.9,"virginica"),(5.9,3.0,"virginica"),(6.0,2.2,"versicolor"),(5.5,2.3,"versicolor")]
H=("length","width","species"); C=dict(zip(H,(N,N,S)))
def comma(v): return str(v).replace(".",",")
eu=[(comma(a),comma(b),c) for a,b,c in base]
cases=[]
def add(name,text,columns=C,n=6,enc="utf-8",raw=None,**k):
    content=raw if raw is not None else text.encode(enc if enc!="utf-8-sig" else "utf-8-sig")
    cases.append(Case(name,content,columns,n,encoding=enc,**k))
T=rows(H,base)
add("plain",T,first=(5.1,3.5,"setosa"))
add("bom",T,enc="utf-8-sig")
add("utf16-bom",T,enc="utf-16")
add("utf16le-no-bom",T,enc="utf-16-le")
L=rows(("länge","größe","stadt"),[(1.5,2,"Köln"),(2.5,3,"München"),(3.5,4,"Zürich"),(4.5,5,"Köln"),(5.5,6,"Genève"),(6.5,7,"Köln")])
CL={"länge":N,"größe":N,"stadt":S}
add("latin1",L,CL,enc="cp1252",first=(1.5,2,"Köln"))
add("utf8-umlauts",L,CL)
add("cp1252-euro",rows(("id_","price"),[("a","5 €"),("b","6 €"),("c","7 €")]),{"id_":S,"price":N},3,enc="cp1252")
add("semicolon-decimal-comma",rows(H,eu,";"),delimiter=";",decimal=",",first=(5.1,3.5,"setosa"))
add("semicolon-decimal-point",rows(H,base,";"),delimiter=";")
add("tab",rows(H,base,"\t"),delimiter="\t")
add("tab-decimal-comma",rows(H,eu,"\t"),delimiter="\t",decimal=",")
add("pipe",rows(H,base,"|"),delimiter="|")
add("spaces",rows(H,base," "),delimiter=" ")
add("colon",rows(H,base,":"),delimiter=":")
add("aligned-spaces","length width species\n"+"\n".join(f"{a:>6}  {b:>5} {c:<12}".rstrip() for a,b,c in base)+"\n",delimiter=" ")
add("crlf",rows(H,base,nl="\r\n"))
add("cr-only",rows(H,base,nl="\r"))
add("no-final-newline",T.rstrip("\n"))
add("trailing-delimiter",rows(H,base).replace("\n",",\n"))
add("trailing-delimiter-rows-only","length,width,species\n"+"".join(f"{a},{b},{c},\n" for a,b,c in base))
add("quoted-newline",'name,note,score\n"A","one\ntwo",1\n"B","three",2\n"C","four\nfive\nsix",3\n"D","x",4\n',{"name":S,"note":S,"score":N},4,first=("A","one\ntwo",1))
add("quoted-delimiters",'name,city,score\n"Miller, Anna","Paris, France",1.5\n"Stone, Bob","Bonn, Germany",2.5\n"Hill, Cat","Rome, Italy",3.0\n',{"name":S,"city":S,"score":N},3,first=("Miller, Anna","Paris, France",1.5))
add("doubled-quotes",'quote,score\n"He said ""no""",1\n"She said ""yes""",2\n"plain",3\n',{"quote":S,"score":N},3,first=('He said "no"',1))
add("all-quoted",'"length","width","species"\n'+"".join(f'"{a}","{b}","{c}"\n' for a,b,c in base))
add("single-quotes","'name','score'\n'Ann, B',1\n'Cy, D',2\n'E, F',3\n",{"name":S,"score":N},3)
add("comment-lines","# written by station 12\n# units: cm\n"+T)
add("title-lines","Report of 2024\n\n"+T)
add("blank-lines",T.replace("\n","\n\n"))
add("blank-lines-in-between",T.replace("virginica\n","virginica\n\n\n"))
add("ragged-short","a,b,c\n1,2,3\n4,5\n7,8,9\n1,2,3\n4,5,6\n",{"a":N,"b":N,"c":N},5)
add("ragged-long","a,b,c\n1,2,3\n4,5,6,7\n7,8,9\n1,2,3\n4,5,6\n",{"a":N,"b":N,"c":N},4)
add("duplicate-headers","a,a,b\n1,2,x\n3,4,y\n5,6,x\n",{"a":N,"a_2":N,"b":S},3)
add("empty-header",",x,y\n0,1.5,a\n1,2.5,b\n2,3.5,a\n",{"column_1":N,"x":N,"y":S},3)
add("r-row-names",'"x","y"\n"1",1.5,"a"\n"2",2.5,"b"\n"3",3.5,"a"\n',{"column_1":N,"x":N,"y":S},3)
add("no-header",rows(None,base),{"column_1":N,"column_2":N,"column_3":S},6,header=False)
add("no-header-numbers",rows(None,[(1.5,2,3),(4,5.5,6),(7,8,9.5),(1,2,3)]),{"column_1":N,"column_2":N,"column_3":N},4,header=False)
add("numeric-years-header","country,2019,2020,2021\nA,1.5,2.5,3.5\nB,2.5,3.5,4.5\nC,3.5,4.5,5.5\n",{"country":S,"2019":N,"2020":N,"2021":N},3)
add("all-text-header","name,city\nAnn,Paris\nBob,Rome\nCy,Paris\nDi,Rome\n",{"name":S,"city":S},4)
add("thousands-comma",'city,people\nA,"1,234,567"\nB,"12,345"\nC,"999"\n',{"city":S,"people":N},3,first=("A",1234567))
add("thousands-point-decimal-comma","city;people;area\nA;1.234.567;12,5\nB;12.345;3,25\nC;1.999;8,75\n",{"city":S,"people":N,"area":N},3,delimiter=";",decimal=",",first=("A",1234567,12.5))
add("thousands-space","city;people\nA;1 234 567\nB;12 345\nC;999\n",{"city":S,"people":N},3,delimiter=";",first=("A",1234567))
add("thousands-apostrophe","city;people\nA;1'234'567.5\nB;12'345.25\nC;999.75\n",{"city":S,"people":N},3,delimiter=";",first=("A",1234567.5))
add("percent","name,share\na,12.5%\nb,7%\nc,80.25%\n",{"name":S,"share":N},3,first=("a",12.5))
add("percent-space-comma","name;share\na;12,5 %\nb;7 %\nc;80,25 %\n",{"name":S,"share":N},3,delimiter=";",decimal=",",first=("a",12.5))
add("currency","item,price\na,$5.50\nb,$1200.00\nc,$7.25\n",{"item":S,"price":N},3,first=("a",5.5))
add("negative-parentheses","item,profit\na,(5.50)\nb,12.00\nc,(7.25)\n",{"item":S,"profit":N},3,first=("a",-5.5))
add("dates-iso","day,x\n2024-01-31,1\n2024-02-29,2\n2024-12-01,3\n",{"day":D,"x":N},3,first=(dt.date(2024,1,31),1))
add("dates-day-first","day,x\n31/01/2024,1\n29/02/2024,2\n01/12/2024,3\n",{"day":D,"x":N},3,first=(dt.date(2024,1,31),1))
add("dates-month-first","day,x\n01/31/2024,1\n02/29/2024,2\n12/01/2024,3\n",{"day":D,"x":N},3,first=(dt.date(2024,1,31),1))
add("dates-german","day;x\n31.01.2024;1,5\n29.02.2024;2,5\n01.12.2024;3,5\n",{"day":D,"x":N},3,delimiter=";",decimal=",",first=(dt.date(2024,1,31),1.5))
add("dates-times","when,x\n2024-01-31 12:30:00,1\n2024-02-29 13:45:10,2\n2024-12-01 00:00:00,3\n",{"when":D,"x":N},3)
add("dates-timezone","when,x\n2024-01-31T12:30:00Z,1\n2024-02-29T13:45:10Z,2\n2024-12-01T00:00:00+02:00,3\n",{"when":D,"x":N},3)
add("dates-named","day,x\n31 Jan 2024,1\n29 Feb 2024,2\n1 Dec 2024,3\n",{"day":D,"x":N},3,first=(dt.date(2024,1,31),1))
add("na","x,y\n1.5,a\nNA,b\n3.5,a\n4,b\n",{"x":N,"y":S},4)
add("question-mark","x,y\n1.5,a\n?,b\n3.5,a\n4,b\n",{"x":N,"y":S},4)
add("dash","x,y\n1.5,a\n-,b\n3.5,a\n-4,b\n",{"x":N,"y":S},4)
add("null-words","x,y\n1.5,a\nNULL,b\nNone,a\nn/a,b\nnan,a\n.,b\n4.5,a\n",{"x":N,"y":S},7)
add("inf","x,y\n1.5,a\ninf,b\n-inf,a\n4,b\n",{"x":N,"y":S},4)
add("excel-serial","date,x\n45322,1\n45351,2\n45627,3\n45300,4\n",{"date":D,"x":N},4,first=(dt.date(2024,1,31),1))
add("mixed-booleans","ok,x\ntrue,1\nFalse,2\nYES,3\nno,4\n",{"ok":S,"x":N},4)
add("leading-zeros","zip,x\n01067,1\n10115,2\n00501,3\n",{"zip":S,"x":N},3,first=("01067",1))
add("long-digits","card,x\n4539578763621486123,1\n4539578763621486124,2\n4539578763621486999,3\n",{"card":S,"x":N},3,first=("4539578763621486123",1))
add("phone-plus","phone,x\n+49 30 1234,1\n+49 89 5678,2\n+44 20 9999,3\n",{"phone":S,"x":N},3)
add("scientific","x,y\n1e-3,a\n2.5E+4,b\n-3e5,a\n",{"x":N,"y":S},3,first=(0.001,"a"))
add("hex-is-text","code,x\n0x1F,1\n0xA0,2\n0xFF,3\n",{"code":S,"x":N},3)
add("one-column-numbers","x\n1.5\n2.5\n3.5\n4.5\n",{"x":N},4)
add("one-column-decimal-comma","x\n1,5\n2,5\n3,5\n4,5\n",{"x":N},4,decimal=",",first=(1.5,))
add("time-of-day","t,x\n12:30,1\n13:45,2\n09:10,3\n",{"t":S,"x":N},3)
add("text-with-delimiter-chars","id;comment;x\n1;well, yes;1\n2;a, b, c;2\n3;no;3\n4;one, two;4\n",{"id":N,"comment":S,"x":N},4,delimiter=";")
add("sql-export",'"id","created_at","name","amount"\n"1","2024-01-31 10:00:00.000","O\'Brien","10.50"\n"2","2024-02-29 11:00:00.000",NULL,"NULL"\n"3","2024-03-01 12:00:00.000","Smith \\"Jr\\"","7.25"\n',{"id":N,"created_at":D,"name":S,"amount":N},3)
add("sep-line","sep=;\n"+rows(H,eu,";"),delimiter=";",decimal=",")
add("units-row","length,width,species\ncm,cm,\n"+"".join(f"{a},{b},{c}\n" for a,b,c in base),n=6)
add("footer","a,b\n1,2\n3,4\n5,6\nTotal: 3 rows\n",{"a":N,"b":N},3)
add("nbsp",rows(H,[(f"\u00a05.1",3.5,"a"),("4.9\u00a0",3.0,"b"),(6.1,2.2,"a")]),n=3)
add("header-spaces"," length , width , species \n"+"".join(f" {a} , {b} , {c} \n" for a,b,c in base))
