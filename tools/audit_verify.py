#!/usr/bin/env python3
"""Checks Karaul's audit log, knowing nothing but its form: audit_verify.py FOLDER

A line is a JSON object that ends with the hash of the entry before and its own:
  {"number":7,"time":…,…,"previous":"<hash of entry 6>","hash":"<64 hex digits>"}
hash is the SHA-256 of the bytes of the line before `,"hash":"`; before entry 1 it is 64 zeros.
Compare number and hash of the last entry with a head that was published on audit/box, and with audit-last.json."""

import hashlib, json, pathlib, sys

files = sorted(pathlib.Path(sys.argv[1]).glob("[0-9]*.jsonl"))
number, last, faults = 0, "0" * 64, 0
if not files:
    sys.exit(f"{sys.argv[1]}: there is no audit log here")
for file in files:
    if not file.read_bytes().endswith(b"\n"):
        faults += 1
        print(f"{file.name}: the last line is not whole")
    for n, line in enumerate(file.read_bytes().splitlines(), 1):
        text, mark, seal = line.rpartition(b',"hash":"')
        try:
            entry = json.loads(text + b"}")
            if not mark or hashlib.sha256(text).hexdigest() != seal.removesuffix(b'"}').decode():
                what = "the hash does not fit the text"
            elif entry["number"] != number + 1:
                what = f"entry {number + 1} should stand here, not {entry['number']}"
            elif entry["previous"] != last:
                what = "previous is not the hash of the entry before"
            else:
                what = None
            number, last = entry["number"], seal.removesuffix(b'"}').decode()
        except (ValueError, KeyError, TypeError):
            what = "this is no entry"
        if what:
            faults += 1
            print(f"{file.name}:{n}: {what}")
if not faults:
    print(f"{number} entries, the last is {number} with hash {last}")
sys.exit(1 if faults else 0)
