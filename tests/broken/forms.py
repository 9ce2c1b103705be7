"""Wrong form: files that are something else than their extension says."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

from tests.broken.cases import content, people, refused, renamed

ROWS = "".join(f"<tr><td>{row.replace(',', '</td><td>')}</td></tr>" for row in people().splitlines())
PAGE = f"<!DOCTYPE html>\n<html><body><table>{ROWS}</table></body></html>"
XML_2003 = '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>'
MHTML = f"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\n\n{PAGE}"
TABS = people().replace(",", "\t")
WEB_PAGE = "this is a web page, not"
NO_XLSX = "this is not a valid .xlsx workbook, whatever its extension says; save it as .xlsx"


def zipped(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, letters in files.items():
            archive.writestr(name, letters)
    return stream.getvalue()


def parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"person_id": ["0001"]}), path)


CASES = [
    refused("text named .xlsx", "xlsx", content(people()), "this is a text file, not a workbook"),
    refused("text with tabs named .xls", "xls", content(TABS), "this is a text file with tabs between its cells, not"),
    refused("text in utf-16 named .xls", "xls", content(TABS.encode("utf-16")), "this is a text file with tabs"),
    refused("Excel 2003 XML named .xlsx", "xlsx", content(XML_2003), "this is an XML spreadsheet of Excel 2003, not"),
    refused("Excel 2003 XML named .xls", "xls", content(XML_2003), "this is an XML spreadsheet of Excel 2003, not"),
    refused("web archive named .xls", "xls", content(MHTML), "this is a web archive (MHTML), not a workbook"),
    refused("table of HTML named .xls", "xls", content(f"\n  <table>{ROWS}</table>"), WEB_PAGE),
    refused("web page in XML named .xls", "xls", content(f'<?xml version="1.0"?>\n{PAGE[16:]}'), WEB_PAGE),
    refused("SYLK named .xls", "xls", content("ID;PWXL;N;E\nC;Y1;X1;K1\nE\n"), "this is a SYLK file, not a workbook"),
    refused(
        "workbook of Excel 4", "xls", content(b"\x09\x04\x06\x00\0\0\x10\0\0\0"), "this is a workbook of Excel 4 or"
    ),
    refused("Word document named .xlsx", "xlsx", content(zipped(**{"word/document.xml": "<w/>"})), NO_XLSX),
    refused("archive of a text named .xlsx", "xlsx", content(zipped(people=people())), NO_XLSX),
    refused("archive of nothing named .xlsx", "xlsx", content(zipped()), NO_XLSX),
    refused(
        "PDF named .xlsx", "xlsx", content(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "this is a PDF document, not a workbook"
    ),
    refused("web page named .xlsx", "xlsx", content(PAGE), WEB_PAGE),
    refused("web page named .xls", "xls", content(PAGE), WEB_PAGE),
    refused("xls named .xlsx", "xlsx", renamed("xls"), "of the .xls kind, not .xlsx as its extension says"),
    refused("xlsx named .xls", "xls", renamed("xlsx"), "of the .xlsx kind, not .xls as its extension says"),
    refused("ods named .xlsx", "xlsx", renamed("ods"), "of the .ods kind, not .xlsx as its extension says"),
    refused("xlsb named .xlsx", "xlsx", renamed("xlsb"), "of the .xlsb kind, not .xlsx as its extension says"),
    refused("workbook named .csv", "csv", renamed("xlsx"), "this is a workbook or an archive, not a text file"),
    refused("xls named .csv", "csv", renamed("xls"), "this is a workbook or an archive, not a text file"),
    refused("login page named .csv", "csv", content(PAGE), WEB_PAGE),
    refused("parquet named .csv", "csv", parquet, "this is a parquet file, not a text file"),
    refused(
        "picture named .csv", "csv", content(b"\x89PNG\r\n\x1a\n" + bytes(99)), "this is a picture, not a text file"
    ),
    refused("JSON named .csv", "csv", content('[{"person_id": "0001"}]'), "row 1 holds no header of 'text'"),
    refused(
        "mail with the table in it", "csv", content(f"From: a@b.c\n\n{people()}"), "row 1 holds no header of 'text'"
    ),
    refused(
        "gzip named .csv", "csv", content(gzip.compress(people().encode())), "this is a gzip file; name it with .gz"
    ),
    refused("text named .csv.gz", "csv.gz", content(people()), "this is not a gzip file, whatever its extension says"),
    refused("gzip of a workbook", "csv.gz", renamed("xlsx", gzip.compress), "the text is not utf-8"),
    refused("gzip of a gzip", "csv.gz", content(gzip.compress(gzip.compress(b"x" * 999))), "the text is not utf-8"),
]
