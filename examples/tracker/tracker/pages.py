"""The pages. Everything that came from outside passes `escape`; there is no script on any page."""

from html import escape


def page(title: str, content: str, held_seconds: float) -> str:
    """A whole document; a notice tells when writes are being held."""
    notice = ""
    if held_seconds > 0:
        notice = (
            '<p class="notice" role="status">Writes are being held for a snapshot and go on by themselves '
            f"within {held_seconds:.0f} s. Nothing is lost.</p>")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Tracker</title>
<link rel="stylesheet" href="/static/style.css">
</head>
<body>
<header><a class="brand" href="/">Tracker</a><nav><a href="/?state=open">Open</a> <a href="/?state=closed">Closed</a>
<a class="button" href="/new">New issue</a></nav></header>
<main>
{notice}{content}
</main>
</body>
</html>
"""


def issue_list(issues: list[dict], counts: dict[str, int], state: str | None, is_full_page: bool) -> str:
    """The start page: one page of issues, newest first."""
    heading = {"open": "Open issues", "closed": "Closed issues"}.get(state or "", "Issues")
    rows = "\n".join(
        f'<li><span class="state {issue["state"]}">{issue["state"]}</span>'
        f'<a href="/issues/{issue["id"]}">{escape(issue["title"])}</a>'
        f'<span class="meta">#{issue["id"]} by {escape(issue["author"])}, {_time(issue["created_at"])} · '
        f'{_count(issue["comments"], "comment")} · {_count(issue["uploads"], "upload")}</span></li>'
        for issue in issues)
    older = ""
    if is_full_page:
        query = f"before={issues[-1]['id']}" + (f"&amp;state={state}" if state else "")
        older = f'<p><a href="/?{query}">Older issues</a></p>'
    summary = f'{_count(counts["issues"], "issue")}, {counts["open"]} open, {_count(counts["uploads"], "upload")}'
    empty = '<p class="meta">Nothing here yet.</p>'
    listing = f'<ul class="issues">{rows}</ul>' if rows else empty
    return f'<h1>{heading}</h1><p class="meta">{summary}</p>{listing}{older}'


def new_issue() -> str:
    """The form for a new issue."""
    return """<h1>New issue</h1>
<form method="post" action="/new">
<label>Title <input name="title" required maxlength="200" autofocus></label>
<label>Your name <input name="author" required maxlength="100"></label>
<label>Description <textarea name="body" rows="8" maxlength="100000"></textarea></label>
<button>Create issue</button>
</form>"""


def issue(found: dict) -> str:
    """One issue with its comments and uploads, and the forms that add to it."""
    number = found["id"]
    comments = "".join(
        f'<article><p class="meta">{escape(comment["author"])}, {_time(comment["created_at"])}</p>'
        f'<div class="text">{escape(comment["body"])}</div></article>'
        for comment in found["comments"])
    uploads = "".join(
        f'<li><a href="/uploads/{upload["id"]}">{escape(upload["name"])}</a> '
        f'<span class="meta">{_bytes(upload["size"])} · sha256 {upload["sha256"][:12]}…</span></li>'
        for upload in found["uploads"])
    other = "closed" if found["state"] == "open" else "open"
    verb = "Close issue" if found["state"] == "open" else "Reopen issue"
    return f"""<h1>{escape(found["title"])} <span class="meta">#{number}</span></h1>
<p class="meta"><span class="state {found["state"]}">{found["state"]}</span> {escape(found["author"])},
{_time(found["created_at"])}</p>
<div class="text">{escape(found["body"])}</div>
<form method="post" action="/issues/{number}/state"><input type="hidden" name="state" value="{other}">
<button class="quiet">{verb}</button></form>
<h2>Uploads</h2>
<ul class="uploads">{uploads or '<li class="meta">None.</li>'}</ul>
<form method="post" action="/issues/{number}/uploads" enctype="multipart/form-data">
<label>File <input type="file" name="file" required></label><button class="quiet">Attach</button></form>
<h2>Comments</h2>
{comments or '<p class="meta">None.</p>'}
<form method="post" action="/issues/{number}/comments">
<label>Your name <input name="author" required maxlength="100"></label>
<label>Comment <textarea name="body" rows="4" required maxlength="100000"></textarea></label>
<button>Add comment</button>
</form>"""


def failure(status: int, reason: str) -> str:
    """What went wrong, in one sentence."""
    return f'<h1>{status}</h1><p>{escape(reason[:1].upper() + reason[1:])}.</p><p><a href="/">All issues</a></p>'


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _time(text: str) -> str:
    return f'<time datetime="{escape(text)}">{escape(text[:16].replace("T", " "))} UTC</time>'


def _bytes(count: int) -> str:
    if count < 1024:
        return f"{count} B"
    value = float(count)
    for unit in ("KiB", "MiB"):
        value /= 1024
        if value < 1024:
            return f"{value:.1f} {unit}"
    return f"{value / 1024:.1f} GiB"
