"""check_trace.py TRACE OPS: the trace has two phases and OPS events in each of their steps."""
import json
import sys

events = json.load(open(sys.argv[1], encoding="utf-8"))["traceEvents"]
steps = [event for event in events if event["cat"] == "step"]
assert {step["name"] for step in steps} == {"prefill", "decode"}, steps
for step in steps:
    end = step["ts"] + step["dur"]
    inside = [event for event in events if event["cat"] != "step"
              and step["ts"] <= event["ts"] and event["ts"] + event["dur"] <= end + 1e-3]
    assert len(inside) == int(sys.argv[2]), (step, inside)
    assert all(event["ph"] == "X" and event["args"]["bytes"] > 0 for event in inside), inside
print(len(events), "events")
