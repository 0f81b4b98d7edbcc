"""Where the hubs of tenants are kept: a folder each, named after the tenant."""

import re
from pathlib import Path

from dothi.app.data_folder import DataFolder

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_COLON = "="
"""Colons in names of folders trouble some systems; the name of a tenant cannot hold this one."""


def tenant_names(folder: DataFolder) -> list[str]:
    """The tenants that exist."""
    if not folder.tenants.exists():
        return []
    return [tenant_of(p) for p in folder.tenants.iterdir() if (p / "dothi.db").exists()]


def tenant_folder(folder: DataFolder, tenant: str) -> DataFolder:
    """Where a tenant is kept. Raises ValueError for a name that is no single folder."""
    if not _FOLDER.fullmatch(tenant):
        raise ValueError(f"{tenant!r} cannot be the name of a tenant")
    return DataFolder(folder.tenants / tenant.replace(":", _COLON))


def tenant_of(folder: Path) -> str:
    """Whose folder this is."""
    return folder.name.replace(_COLON, ":")
