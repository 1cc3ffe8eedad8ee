"""As much of the Hugging Face Hub as its client needs, in a process that can be killed: `fake_hub.py FOLDER [FAULT]`.

It prints its address and keeps everything in FOLDER, so that a second one goes on where a first was killed; FOLDER also
gets `requests.log`.  Of tokens, `hf_test` may write and `hf_read` may read.  Faults: `hang` never answers,
`die-in-upload` ends in the middle of the first large file, `die-at-commit` when all has arrived.
"""

import hashlib
import json
import os
import re
import sys
import threading
import time
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

WRITER, READER = "Bearer hf_test", "Bearer hf_read"
LARGE = (".safetensors", ".arrow", ".png")
REPO = r"/api/(?P<kind>models|datasets|spaces)/(?P<name>[^/]+/[^/]+)"
PAGE = r"/(?:(?P<kind>datasets|spaces)/)?(?P<name>[^/]+/[^/]+)"
AT = r"(?P<revision>[^/]+)"
ROUTES = [
    ("POST", "/api/repos/create", "create"),
    ("POST", "/api/validate-yaml", "validate"),
    ("POST", f"{REPO}/preupload/{AT}", "preupload"),
    ("POST", rf"{PAGE}\.git/info/lfs/objects/batch", "batch"),
    ("PUT", "/upload/(?P<oid>[0-9a-f]{64})", "upload"),
    ("POST", f"{REPO}/commit/{AT}", "commit"),
    ("POST", f"{REPO}/tag/{AT}", "tag"),
    ("GET", f"{REPO}(?:/revision/{AT})?", "info"),
    ("GET", f"{REPO}/tree/{AT}", "tree"),
    ("GET|HEAD", f"{PAGE}/resolve/{AT}/(?P<path>.+)", "resolve"),
]


class Refusal(Exception):
    """An answer with an error status, and the code by which the client knows its kind."""

    def __init__(self, status: int, message: str, code: str = "", commit: str = ""):
        self.status, self.message, self.code, self.commit = status, message, code, commit


class Store:
    """Repositories on disk: what every commit holds, what branches and tags name, and the bytes of files by hash."""

    def __init__(self, folder: Path):
        self.folder, self.index, self.lock = folder, folder / "index.json", threading.RLock()
        (folder / "blobs").mkdir(parents=True, exist_ok=True)
        self.repos = json.loads(self.index.read_text()) if self.index.exists() else {}

    def save(self) -> None:
        partial = self.index.with_suffix(".partial")
        partial.write_text(json.dumps(self.repos))
        os.replace(partial, self.index)

    def blob(self, oid: str) -> Path:
        return self.folder / "blobs" / oid

    def add(self, content: bytes, oid: str = "") -> str:
        """Keep bytes; the name is git's unless one is given."""
        oid = oid or hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        partial = self.blob(f"{oid}.{threading.get_ident()}.partial")
        partial.write_bytes(content)
        os.replace(partial, self.blob(oid))
        return oid

    def find(self, key: str, revision: str | None = None) -> tuple[dict, str, dict]:
        """The repository, the commit that a revision names, and the files of that."""
        if key not in self.repos:
            raise Refusal(404, "Repository not found", "RepoNotFound")
        repo, wanted = self.repos[key], unquote(revision or "main")
        commit = repo["refs"].get(wanted, wanted)
        if commit not in repo["commits"]:
            raise Refusal(404, f"Invalid rev id: {wanted}", "RevisionNotFound")
        return repo, commit, repo["commits"][commit]

    def commit(self, repo: dict, branch: str, files: dict) -> str:
        facts = json.dumps([len(repo["commits"]), repo["refs"].get(branch), files], sort_keys=True)
        commit = hashlib.sha1(facts.encode()).hexdigest()
        repo["commits"][commit], repo["refs"][branch] = files, commit
        self.save()
        return commit


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        with open(self.server.store.folder / "requests.log", "a") as log:
            log.write(f"{self.command} {self.path}\n")
        if self.server.fault == "hang":
            time.sleep(3600)
        try:
            path, body = urlsplit(self.path).path, self.body()
            for methods, pattern, work in ROUTES:
                match = re.fullmatch(pattern, path)
                if match and self.command in methods.split("|"):
                    self.check_token()
                    with self.server.store.lock:
                        return self.respond(*getattr(self, work)(body, **match.groupdict()))
            raise Refusal(404, "no such page")
        except Refusal as refusal:
            headers = {"X-Error-Code": refusal.code, "X-Error-Message": refusal.message}
            headers |= {"X-Repo-Commit": refusal.commit}
            self.respond(refusal.status, {"error": refusal.message}, {k: v for k, v in headers.items() if v})

    do_GET = do_HEAD = do_POST = do_PUT = handle_any

    def body(self) -> bytes:
        if self.server.fault == "die-in-upload" and self.command == "PUT":
            self.rfile.read(1000)
            os._exit(1)
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def check_token(self) -> None:
        token = self.headers.get("Authorization")
        if token not in (None, WRITER, READER):
            raise Refusal(401, "Invalid credentials in Authorization header")
        if self.command == "POST" and token is None:
            raise Refusal(401, "Invalid username or password.")
        if self.command == "POST" and token == READER:
            raise Refusal(403, "You have read access but not the required permissions for this operation")

    def respond(self, status: int, content: dict | list | bytes = b"", headers: dict | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_) -> None:
        pass

    def url(self, key: str) -> str:
        return f"http://{self.headers['Host']}/{key.removeprefix('models/')}"

    def create(self, body):
        store, asked = self.server.store, json.loads(body)
        key = f"{asked.get('type') or 'model'}s/{asked['organization']}/{asked['name']}"
        if key in store.repos:
            return 409, {"error": "You already created this repo", "url": self.url(key)}
        if key.startswith("spaces") and asked.get("sdk") != "gradio":
            raise Refusal(400, "sdk is required")
        private = asked.get("private") or asked.get("visibility") == "private"
        repo = store.repos[key] = {"private": bool(private), "refs": {}, "commits": {}}
        first = {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}
        first |= {"README.md": b"---\nsdk: gradio\n---\n"} if key.startswith("spaces") else {}
        store.commit(repo, "main", {name: {"oid": store.add(c), "size": len(c)} for name, c in first.items()})
        return 200, {"url": self.url(key), "name": asked["name"], "id": key}

    def validate(self, body):
        content = json.loads(body)["content"]
        if not re.match(r"---\n(?:[^\n]*\n)+?---\n", content):
            return 400, {"errors": [{"message": "empty or missing yaml metadata"}], "warnings": []}
        return 200, {"errors": [], "warnings": []}

    def preupload(self, body, kind, name, revision):
        _, _, files = self.server.store.find(f"{kind}/{name}", revision)
        answers = []
        for file in json.loads(body)["files"]:
            mode = "lfs" if file["path"].endswith(LARGE) else "regular"
            old = files.get(file["path"], {}).get("oid")
            answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": old})
        return 200, {"files": answers}

    def batch(self, body, kind, name):
        answers = []
        for file in json.loads(body)["objects"]:
            answer = {"oid": file["oid"], "size": file["size"]}
            if not self.server.store.blob(file["oid"]).exists():
                answer["actions"] = {"upload": {"href": f"http://{self.headers['Host']}/upload/{file['oid']}"}}
            answers.append(answer)
        return 200, {"transfer": "basic", "objects": answers}

    def upload(self, body, oid):
        if hashlib.sha256(body).hexdigest() != oid:
            raise Refusal(400, "the content is not that of its hash")
        self.server.store.add(body, oid)
        return 200, {}

    def commit(self, body, kind, name, revision):
        if self.server.fault == "die-at-commit":
            os._exit(1)
        store = self.server.store
        repo, head, files = store.find(f"{kind}/{name}", revision)
        files = dict(files)
        for line in body.splitlines():
            item = json.loads(line)
            key, value = item["key"], item["value"]
            if key == "file":
                content = b64decode(value["content"])
                files[value["path"]] = {"oid": store.add(content), "size": len(content)}
            elif key == "lfsFile":
                if not store.blob(value["oid"]).exists():
                    raise Refusal(400, f"{value['path']} was not uploaded")
                files[value["path"]] = {"oid": value["oid"], "size": value["size"], "large": True}
            elif key == "deletedFile" and not files.pop(value["path"], None):
                raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound", head)
        commit = store.commit(repo, unquote(revision), files)
        return 200, {"commitOid": commit, "commitUrl": f"{self.url(f'{kind}/{name}')}/commit/{commit}"}

    def tag(self, body, kind, name, revision):
        repo, commit, _ = self.server.store.find(f"{kind}/{name}", revision)
        tag = json.loads(body)["tag"]
        if tag in repo["refs"]:
            raise Refusal(409, "Tag reference exists already")
        repo["refs"][tag] = commit
        self.server.store.save()
        return 200, {}

    def readable(self, key: str, revision: str | None) -> tuple[dict, str, dict]:
        repo, commit, files = self.server.store.find(key, revision)
        if repo["private"] and not self.headers.get("Authorization"):
            raise Refusal(401, "Repository not found", "RepoNotFound")
        return repo, commit, files

    def info(self, body, kind, name, revision):
        repo, commit, files = self.readable(f"{kind}/{name}", revision)
        day = "2026-01-01T00:00:00.000Z"
        siblings = [{"rfilename": path} for path in files]
        facts = {"id": name, "sha": commit, "private": repo["private"], "tags": [], "siblings": siblings}
        return 200, facts | {"lastModified": day, "createdAt": day}

    def tree(self, body, kind, name, revision):
        _, _, files = self.readable(f"{kind}/{name}", revision)
        folders = {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}
        entries = [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in sorted(folders)]
        for path, file in files.items():
            large = {"lfs": {"oid": file["oid"], "size": file["size"], "pointerSize": 134}} if "large" in file else {}
            entries.append({"type": "file", "path": path, "oid": file["oid"][:40], "size": file["size"], **large})
        return 200, entries

    def resolve(self, body, kind, name, revision, path):
        _, commit, files = self.readable(f"{kind or 'models'}/{name}", revision)
        if unquote(path) not in files:
            raise Refusal(404, "Entry not found", "EntryNotFound", commit)
        file = files[unquote(path)]
        content, headers = self.server.store.blob(file["oid"]).read_bytes(), {"X-Repo-Commit": commit}
        headers |= {"ETag": f'"{file["oid"]}"', "Accept-Ranges": "bytes"}
        if not (part := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))):
            return 200, content, headers
        first, last = int(part[1]), int(part[2] or len(content) - 1)
        return 206, content[first : last + 1], headers | {"Content-Range": f"bytes {first}-{last}/{len(content)}"}


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.store, server.fault = Store(Path(sys.argv[1])), " ".join(sys.argv[2:])
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
