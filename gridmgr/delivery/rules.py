"""What is said by each way: a mail, a short message, a robot's text; and how a robot's address is signed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any
from urllib.parse import quote_plus

from gridmgr import i18n, words
from gridmgr.notice.model import Flavour, Notice
from gridmgr.notice.rules import sentence

SUBJECT_LIMIT, SHORT_LIMIT, ROBOT_LIMIT = 120, 300, 1000
LISTED = 50  # notices of a digest that are written out


def subject(told: Sequence[Notice]) -> str:
    """Return what stands above a mail: what its notice is about, or how many came while it was quiet."""
    if len(told) > 1:
        return i18n._("{n} notices came in your quiet hours", n=len(told))
    number = told[0].details.get("number") or i18n._("City Grid Governance")
    return f"{words.word(words.NOTICE_KINDS, told[0].kind)} · {number}"[:SUBJECT_LIMIT]


def letter(told: Sequence[Notice], site: str | None) -> str:
    """Return the text of a mail: the sentences, the way to each case, and why one gets it."""
    lines = []
    for each in told[:LISTED]:
        lines.append(sentence(each.kind, each.details))
        lines += [link] if (link := case_link(each.details, site)) else []
    if len(told) > LISTED:
        lines.append(i18n._("and {n} more", n=len(told) - LISTED))
    if site:
        url = f"{site.rstrip('/')}/notices/wishes"
        lines.append(i18n._("What is sent to you is your choice: {url}", url=url))
    return "\n\n".join(lines) + "\n"


def short(told: Sequence[Notice]) -> str:
    """Return a short message: one sentence, or how many there are and the newest."""
    last = sentence(told[-1].kind, told[-1].details)
    if len(told) > 1:
        last = i18n._("{n} notices came in your quiet hours", n=len(told)) + i18n._("; the newest: ") + last
    return last[:SHORT_LIMIT]


def case_link(details: Mapping[str, Any], site: str | None) -> str:
    """Return where the case of a notice is read, empty if nobody has said where the pages are."""
    number = details.get("number")
    return f"{site.rstrip('/')}/incidents/{number}" if site and number else ""


def fact_text(flavour: str, number: int, fact: Mapping[str, Any], site: str | None) -> str:
    """Return what a webhook is posted: the fact itself, or for a robot a text message that says it."""
    if flavour == Flavour.JSON:
        return json.dumps({"delivery": number} | dict(fact), ensure_ascii=False, sort_keys=True)
    said = sentence(fact["kind"], fact["details"])
    link = case_link(fact["details"], site)
    content = f"{said}\n{link}" if link else said
    return json.dumps({"msgtype": "text", "text": {"content": content[:ROBOT_LIMIT]}}, ensure_ascii=False)


def signed(url: str, secret: str, at_ms: int) -> str:
    """Return the address of a DingTalk robot with its time and sign: HMAC-SHA-256 over time, line end and secret.

    Without a secret the robot is guarded otherwise, and the address stays as it is.
    """
    if not secret:
        return url
    digest = hmac.new(secret.encode(), f"{at_ms}\n{secret}".encode(), hashlib.sha256).digest()
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}timestamp={at_ms}&sign={quote_plus(base64.b64encode(digest))}"


def gateway_body(template: str, phone: str, said: str) -> bytes:
    """Return what the gateway for short messages is posted: JSON in which $phone and $text are filled.

    What is filled in never ends a text it stands in. A template that is no JSON is a mistake of the settings.
    """
    values = {"phone": phone, "text": said}

    def filled(part: Any) -> Any:
        if isinstance(part, str):
            return Template(part).safe_substitute(values)
        if isinstance(part, list):
            return [filled(each) for each in part]
        return {name: filled(each) for name, each in part.items()} if isinstance(part, dict) else part

    return json.dumps(filled(json.loads(template)), ensure_ascii=False).encode()


def answered(body: str) -> str | None:
    """Return what a robot says is wrong, None if it has taken the message; its answer is errcode and errmsg."""
    try:
        told = json.loads(body)
        code = told["errcode"]
    except (ValueError, TypeError, KeyError):
        return body[:200] or "no answer"
    return None if code == 0 else f"{code}: {str(told.get('errmsg', ''))[:200]}"
