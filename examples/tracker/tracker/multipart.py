"""Reading the one kind of form a browser sends files with (RFC 7578)."""

import re
from dataclasses import dataclass


class MalformedForm(Exception):
    """The body is not the form its header announces."""


@dataclass(frozen=True)
class Part:
    """One field of a form; `filename` is empty where the browser sent none."""

    filename: str
    media_type: str
    content: bytes


def parse_form(content_type: str, body: bytes) -> dict[str, Part]:
    """The fields of a multipart/form-data body, by name; of several with one name the last."""
    found = re.fullmatch(r'multipart/form-data\s*;.*?boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70})).*', content_type)
    if found is None:
        raise MalformedForm("the content type names no boundary")
    # A delimiter is a whole line; the CRLF before it belongs to it and not to the content (RFC 2046, 5.1.1).
    boundary = re.escape((found[1] or found[2]).encode("latin-1"))
    content = b"\r\n" + body
    end = re.search(rb"\r\n--" + boundary + rb"--[ \t]*(?:\r\n|$)", content)
    if end is None:
        raise MalformedForm("the form is not complete")
    fields = {}
    for section in re.split(rb"\r\n--" + boundary + rb"[ \t]*(?=\r\n)", content[: end.start()])[1:]:
        section = section.removeprefix(b"\r\n")
        head, separator, content = section.partition(b"\r\n\r\n")
        if not separator:
            raise MalformedForm("a field has no header")
        name, part = _part(head.decode("utf-8", errors="replace"), content)
        fields[name] = part
    return fields


def _part(head: str, content: bytes) -> tuple[str, Part]:
    headers = dict(re.findall(r"^([A-Za-z-]+):\s*(.*?)\s*$", head.replace("\r", ""), re.MULTILINE))
    headers = {name.lower(): value for name, value in headers.items()}
    # A browser writes a quote inside a name as %22 (HTML standard, "multipart/form-data encoding algorithm").
    parameters = dict(re.findall(r'(\w+)="([^"]*)"', headers.get("content-disposition", "")))
    if "name" not in parameters:
        raise MalformedForm("a field has no name")
    filename = parameters.get("filename", "").replace("%22", '"').replace("%0D", "").replace("%0A", "")
    return parameters["name"], Part(filename, headers.get("content-type", "application/octet-stream"), content)
