"""Carriers: the kinds of files in which a base image is named, from Dockerfiles to Terraform.

`is_candidate` says by its path whether a file may be one, `may_name_base` by its bytes; `scan_file` reads it,
`scan_files` reads a tree, `repoint_file` edits a file and `same_but_for_bases` compares two versions of it.
"""

from bot.core.carriers.contexts import scan_files
from bot.core.carriers.files import LARGEST, is_candidate, may_name_base, repoint_file, same_but_for_bases, scan_file
from bot.core.carriers.kinds import reading_id
from bot.core.carriers.located import Context, FileScan, LocatedUse, SourceFile

__all__ = [
    "LARGEST",
    "Context",
    "FileScan",
    "LocatedUse",
    "SourceFile",
    "is_candidate",
    "may_name_base",
    "reading_id",
    "repoint_file",
    "same_but_for_bases",
    "scan_file",
    "scan_files",
]
