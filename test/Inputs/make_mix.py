"""Writes an assignment by hand: make_mix.py OUT.json SITE=FORMAT..."""
import json
import sys

sites = [dict(zip(("site", "format"), entry.split("=", 1))) for entry in sys.argv[2:]]
with open(sys.argv[1], "w") as file:
    json.dump({"document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "",
               "method": "by hand", "sites": sites}, file)
