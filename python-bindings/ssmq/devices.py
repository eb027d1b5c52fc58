"""The OpenCL devices of this machine, as their drivers describe them."""

import json

import _ssmq

from .report import Table


def to_json() -> str:
    return _ssmq.list_devices()


def to_table() -> Table:
    """A column a device."""
    devices = json.loads(to_json())
    table = Table("OpenCL devices; xe is the first GPU that runs Xe kernels, else the first CPU",
                  ["", *(f"xe:{index}" for index in range(len(devices)))])
    columns = [_describe(device) for device in devices]
    table.rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    return table


def _describe(device: dict) -> dict[str, str]:
    return {
        "name": device["name"],
        "kind": device["kind"],
        "platform": device["platform"],
        "driver": device["driver_version"],
        "OpenCL": device["opencl_version"],
        "SPIR-V": _join(device["spirv_versions"]),
        "compute units": str(device["compute_units"]),
        "sub-groups": _join(map(str, device["subgroup_sizes"])),
        "dpas": _answer(device["matrix_multiply"]),
        "2-D block I/O": _answer(device["block_io"]),
        "integer dot product": "yes" if device["integer_dot_product"] else "no",
        "command buffers": "used" if device["command_buffers_used"]
                           else "not used, they need another queue" if device["command_buffers"]
                           else "no",
        "division, roots": "rounded correctly" if device["correctly_rounded_divide_sqrt"]
                           else "as the device has them",
        "shared memory": _join(kind for kind, has in device["shared_memory"].items() if has),
        "memory, GiB": _to_gib(device["global_memory"]),
        "one allocation, GiB": _to_gib(device["largest_allocation"]),
        "local memory, KiB": str(device["local_memory"] // 1024),
        "runs Xe kernels": f"no: {device['obstacle']}" if device["obstacle"] else "yes",
    }


def _join(words) -> str:
    return " ".join(words) or "none"


def _answer(has: bool) -> str:
    return "native" if has else "emulated"


def _to_gib(size: int) -> str:
    return f"{size / 2**30:.2f}"
