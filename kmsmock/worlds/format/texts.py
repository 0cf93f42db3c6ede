"""Texts of a world that have a form: ids, names, ARNs; and what is built of them."""

from __future__ import annotations

from kmsmock.worlds.kinds.containers import MapOf
from kmsmock.worlds.kinds.values import Text, Time

TEXT = Text()
ACCOUNT_ID = Text("an account id of 12 digits", r"[0-9]{12}")
REGION = Text("the name of a Region", r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
PARTITION = Text("an AWS partition", r"aws(-[a-z-]+)?")
KEY_ID = Text(
    "a key id: a UUID, or mrk- and 32 hex digits",
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|mrk-[0-9a-fA-F]{32}",
)
ALIAS_NAME = Text(
    "the name of an alias: alias/ and letters, digits, /, _ or -", r"alias/[a-zA-Z0-9/_-]+", 256
)
KEY = Text("a key id or the name of an alias of the same Region", r"[a-zA-Z0-9/_-]+")
HEX_ID = Text("64 lower-case hex digits", r"[0-9a-f]{64}")
ARN = Text("an ARN", r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[^:]*:.+")
IAM_NAME = Text("a name: letters, digits, or +=,.@_-", r"[\w+=,.@-]+", 128)
IAM_PATH = Text("a path such as /teams/, from / to /", r"/(?:[!-.0-~]+/)*", 512)
UNIQUE_ID = Text("a unique id such as AROA and 16 more", r"[A-Z0-9]{16,128}")
PRINCIPAL_NAME = Text("the ARN of a principal, or the name of a service", r"[!-~]+", 2048)
ACCESS_KEY = Text("an access key id", r"[\w-]{1,128}")
STORE_ID = Text("the id of a custom key store: cks- and hex digits", r"cks-[a-zA-Z0-9-]{1,60}")
TAGS = MapOf(Text("a tag key", r"[\s\S]+", 128), Text("the value of a tag", None, 256))
IDS = MapOf(PRINCIPAL_NAME, UNIQUE_ID)
TIME = Time()
ENCRYPTION_CONTEXT = MapOf(TEXT, TEXT)

#: What holds when dates and ids are left out, in words.
NOW = "the time of the world"
NEW = "a new one"
