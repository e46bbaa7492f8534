"""What can go wrong with a store, as Findings, and the translation of system errors into them."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from celadon.core.findings import Finding, FindingError, FindingKind, Place, Severity
from celadon.core.text import Text, text_of

ABSENT = FindingKind(
    "store.absent",
    Severity.ERROR,
    Text(en="No store here", zh="没有数据仓"),
    Text(en="There is no store in {path}.", zh="{path} 中没有数据仓。"),
    Text(
        en="Load the plant first (`celadon load PLANT`), or correct `store:` in the plant file.",
        zh="请先执行 `celadon load PLANT` 加载数据，或更正工厂文件中的 `store:`。",
    ),
)
EXISTS = FindingKind(
    "store.exists",
    Severity.ERROR,
    Text(en="A store is here already", zh="数据仓已存在"),
    Text(en="{path} already holds a store.", zh="{path} 中已有数据仓。"),
    Text(en="Open it, or name another folder.", zh="请直接打开该数据仓，或指定其他目录。"),
)
NOT_A_STORE = FindingKind(
    "store.not-a-store",
    Severity.ERROR,
    Text(en="Not a store of Celadon", zh="不是 Celadon 数据仓"),
    Text(en="{path} is a database of another program.", zh="{path} 是其他程序的数据库。"),
    Text(
        en="Name a folder of its own for the store in the plant file (`store:`).",
        zh="请在工厂文件的 `store:` 中为数据仓指定单独的目录。",
    ),
)
NEWER_FORMAT = FindingKind(
    "store.newer-format",
    Severity.ERROR,
    Text(en="Store of a newer program version", zh="数据仓由更新版本的程序写成"),
    Text(
        en="The store in {path} has format {found}; this program reads up to format {known}.",
        zh="{path} 的数据仓格式为 {found}，本程序最高支持格式 {known}。",
    ),
    Text(en="Update Celadon; the store is left as it is.", zh="请升级 Celadon；数据仓保持原样。"),
)
CATALOGUE_DAMAGED = FindingKind(
    "store.catalogue-damaged",
    Severity.ERROR,
    Text(en="Catalogue damaged", zh="目录库损坏"),
    Text(en="The catalogue in {path} cannot be read: {detail}.", zh="{path} 的目录库无法读取：{detail}。"),
    Text(
        en="Restore the plant from a backup (`celadon restore`), or load the source files into a new store.",
        zh="请从备份恢复工厂（`celadon restore`），或将源文件重新加载到新的数据仓。",
    ),
)
LOCKED = FindingKind(
    "store.locked",
    Severity.ERROR,
    Text(en="Another process is writing", zh="另一进程正在写入"),
    Text(en="The store in {path} is being written by {holder}.", zh="{path} 的数据仓正由 {holder} 写入。"),
    Text(
        en="Wait until it has finished, then run the command again; reading is possible all the time.",
        zh="请等待其完成后重试；读取始终可以进行。",
    ),
)
BUSY = FindingKind(
    "store.busy",
    Severity.ERROR,
    Text(en="Catalogue held by another program", zh="目录库被其他程序占用"),
    Text(
        en="The catalogue in {path} stayed locked by a program other than Celadon.",
        zh="{path} 的目录库一直被 Celadon 以外的程序锁定。",
    ),
    Text(
        en="Close database tools and backup programs that hold catalogue.sqlite open, then try again.",
        zh="请关闭占用 catalogue.sqlite 的数据库工具或备份程序后重试。",
    ),
)
DISK_FULL = FindingKind(
    "store.disk-full",
    Severity.ERROR,
    Text(en="No room on the disk", zh="磁盘空间不足"),
    Text(
        en="There is no room to write into {path} ({free} bytes free); nothing of this batch was kept.",
        zh="{path} 没有可写空间（剩余 {free} 字节）；本批数据未保留任何内容。",
    ),
    Text(
        en="Free space or move the store folder to a larger disk, then run the command again: "
        "what was committed before is intact.",
        zh="请清理空间或将数据仓目录移到更大的磁盘后重试；此前已提交的数据完好。",
    ),
)
NOT_WRITABLE = FindingKind(
    "store.not-writable",
    Severity.ERROR,
    Text(en="Store cannot be written", zh="数据仓不可写"),
    Text(en="{path} cannot be written: {detail}.", zh="{path} 无法写入：{detail}。"),
    Text(
        en="Give this user the right to write the store folder, or name another one "
        "(`store:` in the plant file).",
        zh="请授予当前用户对数据仓目录的写权限，或在工厂文件的 `store:` 中指定其他目录。",
    ),
)
SEGMENT_MISSING = FindingKind(
    "store.segment-missing",
    Severity.ERROR,
    Text(en="Segment missing", zh="数据段缺失"),
    Text(
        en="A file of {rows} {kind} is missing (batches {batches}, month {month}); answers leave them out{effect}.",
        zh="缺失一个含 {rows} 行（{kind}）的文件（批次 {batches}，月份 {month}）；结果中不含这些数据{effect}。",
    ),
    Text(
        en="`celadon doctor --repair --from BACKUP` puts it back; without a backup, load its source files into a new store.",
        zh="用 `celadon doctor --repair --from 备份目录` 恢复该文件；若无备份，请将源文件加载到新的数据仓。",
    ),
)
SEGMENT_DAMAGED = FindingKind(
    "store.segment-damaged",
    Severity.ERROR,
    Text(en="Segment damaged", zh="数据段损坏"),
    Text(
        en="A file of {rows} {kind} is not as it was written (batches {batches}, month {month}); "
        "answers leave it out{effect}.",
        zh="一个含 {rows} 行（{kind}）的文件与写入时不一致"
        "（批次 {batches}，月份 {month}）；结果中不含这些数据{effect}。",
    ),
    Text(
        en="`celadon doctor --repair --from BACKUP` puts it back; until then the rest answers without it.",
        zh="用 `celadon doctor --repair --from 备份目录` 恢复该文件；在此之前其余数据照常可用。",
    ),
)
FILE_LOADED = FindingKind(
    "store.file-loaded",
    Severity.NOTICE,
    Text(en="File loaded before", zh="文件已加载过"),
    Text(
        en="{name} was loaded with batch {batch}, with the same content and the same column mapping.",
        zh="{name} 已随批次 {batch} 加载，内容与列映射均相同。",
    ),
    Text(en="Nothing to do: no reading is stored twice.", zh="无需处理：读数不会重复入库。"),
)
CLOCK_BACKWARDS = FindingKind(
    "store.clock-backwards",
    Severity.WARNING,
    Text(en="The computer's clock went backwards", zh="计算机时钟倒退"),
    Text(
        en="The clock says {clock}, but batch {batch} was recorded at {last}; "
        "this batch is recorded just after it.",
        zh="时钟显示 {clock}，但批次 {batch} 的记录时间为 {last}；本批记录时间顺延其后。",
    ),
    Text(
        en="Set the computer's clock (NTP); until it passes that time, `--as-of` needs times after {last} "
        "to see new batches.",
        zh="请校准时钟（NTP）；在此之前，`--as-of` 须使用晚于 {last} 的时间才能看到新批次。",
    ),
)
HISTORY_DROPPED = FindingKind(
    "store.history-dropped",
    Severity.ERROR,
    Text(en="That far back is not kept any more", zh="该时间之前的历史已不保留"),
    Text(
        en="What was known before {since} cannot be told any more: readings replaced by then were dropped by retention.",
        zh="{since} 之前所知的内容已无法还原：此前被替换的读数已按保留策略删除。",
    ),
    Text(
        en="Ask with an `--as-of` of {since} or later, or restore a backup made before the retention.",
        zh="请使用 {since} 或之后的 `--as-of`，或恢复执行保留策略之前的备份。",
    ),
)
MEMORY = FindingKind(
    "system.memory",
    Severity.ERROR,
    Text(en="Not enough memory", zh="内存不足"),
    Text(
        en="The work needs more memory than it may use ({limit}), and no more of it could be moved to the disk.",
        zh="所需内存超过可用上限（{limit}），且无法再转存到磁盘。",
    ),
    Text(
        en="Ask for a shorter period or a coarser grain, set the environment variable {variable} higher (such as 4GB), "
        "or free disk space for spilling. Nothing in the store was changed by this.",
        zh="请缩短期间或采用更粗的粒度，调高环境变量 {variable}（如 4GB），或清理磁盘以便转存。数据仓未因此改变。",
    ),
)
MEMORY_LIMIT = FindingKind(
    "system.memory-limit",
    Severity.ERROR,
    Text(en="Not an amount of memory", zh="内存上限无法识别"),
    Text(
        en="The environment variable {variable} says “{value}”, which is no amount of memory.",
        zh="环境变量 {variable} 的值“{value}”不是内存大小。",
    ),
    Text(
        en="Write a number with a unit, such as 2GB or 60%, or unset it to use 80 % of the machine's memory.",
        zh="请写带单位的数值，如 2GB 或 60%；取消该变量则使用本机内存的 80%。",
    ),
)
CATALOGUE_SERVER = FindingKind(
    "store.catalogue-server",
    Severity.ERROR,
    Text(en="Catalogue server does not serve", zh="目录库服务器不可用"),
    Text(
        en="The catalogue {place} cannot be used: {detail}.",
        zh="目录库 {place} 无法使用：{detail}。",
    ),
    Text(
        en="Check the server, the network, the user's rights and where the password comes from (~/.pgpass, "
        "PGPASSWORD); then run the command again: what was committed stays and nothing is loaded twice.",
        zh="请检查服务器、网络、用户权限与密码来源（~/.pgpass、PGPASSWORD），然后重新运行："
        "已提交的数据仍在，不会重复入库。",
    ),
)
CATALOGUE_ADDRESS = FindingKind(
    "store.catalogue-address",
    Severity.ERROR,
    Text(en="Catalogue's address cannot be read", zh="目录库地址无法识别"),
    Text(
        en="The catalogue's address is not that of a PostgreSQL database: {detail}.",
        zh="目录库地址不是 PostgreSQL 数据库地址：{detail}。",
    ),
    Text(
        en="Write postgresql://user@host:5432/database?schema=plant (the schema may be left out).",
        zh="请写作 postgresql://用户@主机:5432/数据库?schema=工厂（schema 可省略）。",
    ),
)
CATALOGUE_PASSWORD = FindingKind(
    "store.catalogue-password",
    Severity.ERROR,
    Text(en="A password in the catalogue's address", zh="目录库地址中含有密码"),
    Text(
        en="The address of the catalogue on {host} holds a password, which files and process lists would show.",
        zh="主机 {host} 的目录库地址中含有密码，会在文件和进程列表中泄露。",
    ),
    Text(
        en="Take it out of the address; put it into ~/.pgpass, or into PGPASSWORD of the environment.",
        zh="请从地址中删去密码，改用 ~/.pgpass 文件或环境变量 PGPASSWORD。",
    ),
)
KEPT_ELSEWHERE = FindingKind(
    "store.kept-elsewhere",
    Severity.ERROR,
    Text(en="Folder and catalogue do not belong together", zh="目录与目录库不匹配"),
    Text(
        en="The store in {path} belongs to {found}, not to {asked}.",
        zh="{path} 的数据仓属于 {found}，而不属于 {asked}。",
    ),
    Text(
        en="Name the catalogue it was made with (or none: the folder knows it); on another host, mount the "
        "store's own folder first; a new catalogue needs a new folder (`store:` in the plant file).",
        zh="请使用建仓时的目录库（可不写，目录中已有记录）；在其他主机上请先挂载该数据仓的目录；"
        "新的目录库须使用新的目录（工厂文件中的 `store:`）。",
    ),
)
CATALOGUE_MOVED = FindingKind(
    "store.catalogue-moved",
    Severity.ERROR,
    Text(en="Catalogue moved meanwhile", zh="目录库已迁移"),
    Text(
        en="The catalogue of the store in {path} was moved to {found} while it was open here; nothing was written.",
        zh="{path} 的数据仓在此处打开期间，目录库已迁移到 {found}；未写入任何内容。",
    ),
    Text(en="Run the command again: it finds the catalogue.", zh="请重新运行命令：将自动找到目录库。"),
)
KEPT_UNREADABLE = FindingKind(
    "store.kept-unreadable",
    Severity.ERROR,
    Text(en="store.json cannot be read", zh="store.json 无法读取"),
    Text(
        en="{path} should say where the store's catalogue is, but it is not as it was written.",
        zh="{path} 应记录数据仓目录库的位置，但其内容与写入时不一致。",
    ),
    Text(
        en="Restore the file from a copy of the store folder, or update Celadon if a newer version wrote it.",
        zh="请从数据仓目录的副本恢复该文件；若由更新版本写成，请升级 Celadon。",
    ),
)
OBJECTS = FindingKind(
    "store.objects",
    Severity.ERROR,
    Text(en="Object store does not serve", zh="对象存储不可用"),
    Text(en="The object store {place} cannot be used: {detail}.", zh="对象存储 {place} 无法使用：{detail}。"),
    Text(
        en="Check address, network and rights, and that the package of its protocol is installed (s3fs for s3://, ossfs for "
        "oss:// …); then run the command again: what was committed stays.",
        zh="请检查地址、网络与权限，并确认已安装相应协议的包（s3:// 用 s3fs，oss:// 用 ossfs 等），然后重新运行："
        "已提交的数据仍在。",
    ),
)
OBJECTS_PASSWORD = FindingKind(
    "store.objects-password",
    Severity.ERROR,
    Text(en="A secret in the object store's address", zh="对象存储地址中含有密钥"),
    Text(
        en="The address of the object store on {host} holds a secret, which files and process lists would show.",
        zh="主机 {host} 的对象存储地址中含有密钥，会在文件和进程列表中泄露。",
    ),
    Text(
        en="Take it out of the address; the protocol's package finds it in the environment or in its own configuration.",
        zh="请从地址中删去密钥；相应协议的包会从环境变量或其配置中读取。",
    ),
)
EXTRA_MISSING = FindingKind(
    "store.extra-missing",
    Severity.ERROR,
    Text(en="An optional part is not installed", zh="可选组件未安装"),
    Text(
        en="This needs the Python package {package}, which is not installed.",
        zh="此功能需要 Python 包 {package}，但尚未安装。",
    ),
    Text(en="Install it: pip install 'celadon[{extra}]'.", zh="请安装：pip install 'celadon[{extra}]'。"),
)

MEMORY_VARIABLE = "CELADON_MEMORY_LIMIT"
"""Environment variable: how much memory the engine may use (`2GB`, `60%`); without it, 80 % of the machine's."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_RIGHT = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}
_FULL_WORDS = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "disk is full",
    "max_temp_directory_size",
)
_RIGHT_WORDS = ("Permission denied", "Read-only file system")
_BYTES_LEFT_AT_LEAST = 1 << 16  # less than this is a full disk, whatever the failing call said


def free_bytes(path: Path) -> int:
    """Bytes free where `path` is or will be."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def _about(kind: FindingKind, path: Path | str, **values: str | int | Text) -> FindingError:
    return FindingError(Finding(kind, Place(file=str(path)), {"path": str(path), **values}))


def absent(path: Path | str) -> FindingError:
    """No store in `path`."""
    return _about(ABSENT, path)


def exists(path: Path | str) -> FindingError:
    """A store is in `path` already."""
    return _about(EXISTS, path)


def not_a_store(path: Path | str) -> FindingError:
    """`path` is some other program's database."""
    return _about(NOT_A_STORE, path)


def newer_format(path: Path | str, found: int, known: int) -> FindingError:
    """The store in `path` was written by a later program."""
    return _about(NEWER_FORMAT, path, found=found, known=known)


def catalogue_damaged(path: Path, detail: Text) -> FindingError:
    """The catalogue in `path` cannot be read."""
    return _about(CATALOGUE_DAMAGED, path, detail=detail)


def locked(path: Path | str, holder: str) -> FindingError:
    """Somebody else writes, and the caller does not want to wait."""
    return _about(LOCKED, path, holder=holder)


def catalogue_server(place: str, detail: Text) -> FindingError:
    """The server of the catalogue refuses, or is not there."""
    return FindingError(CATALOGUE_SERVER.at(Place(file=place), place=place, detail=detail))


def catalogue_address(detail: Text) -> FindingError:
    """The catalogue's address cannot be read; it is not repeated, as it may hold anything."""
    return FindingError(CATALOGUE_ADDRESS.at(Place(), detail=detail))


def catalogue_password(host: str) -> FindingError:
    """The catalogue's address holds a password."""
    return FindingError(CATALOGUE_PASSWORD.at(Place(), host=host))


def kept_elsewhere(path: Path, found: str, asked: str) -> FindingError:
    """Folder and catalogue do not belong together."""
    return _about(KEPT_ELSEWHERE, path, found=found, asked=asked)


def catalogue_moved(path: Path, found: str) -> FindingError:
    """Another process moved the catalogue while this one had the store open."""
    return _about(CATALOGUE_MOVED, path, found=found)


def kept_unreadable(path: Path) -> FindingError:
    """`store.json` is not as it was written."""
    return _about(KEPT_UNREADABLE, path)


def objects_refused(place: str, detail: Text) -> FindingError:
    """The object store refuses, or is not there."""
    return FindingError(OBJECTS.at(Place(file=place), place=place, detail=detail))


def objects_password(host: str) -> FindingError:
    """The object store's address holds a secret."""
    return FindingError(OBJECTS_PASSWORD.at(Place(), host=host))


def extra_missing(extra: str, package: str) -> FindingError:
    """An optional part of the installation is needed."""
    return FindingError(EXTRA_MISSING.at(Place(), extra=extra, package=package))


def history_dropped(path: Path, since: str) -> FindingError:
    """An answer is asked for that needs readings which retention dropped."""
    return _about(HISTORY_DROPPED, path, since=since)


def disk_full(path: Path) -> FindingError:
    """No room where the store is."""
    return _about(DISK_FULL, path, free=free_bytes(path))


def not_writable(path: Path, detail: Text) -> FindingError:
    """No right to write where the store is."""
    return _about(NOT_WRITABLE, path, detail=detail)


def memory_limit(value: str) -> FindingError:
    """The environment variable for the limit says no amount of memory."""
    return FindingError(MEMORY_LIMIT.at(variable=MEMORY_VARIABLE, value=value))


def of_memory(error: BaseException) -> Finding | None:
    """The finding for an error of memory that ran out, of the engine or of Python; None for any other error."""
    if not isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return None
    said = re.search(r"/([\d.]+ [KMGT]iB) used", str(error))
    limit = os.environ.get(MEMORY_VARIABLE) or (said[1] if said else "80 %")
    return MEMORY.at(limit=limit, variable=MEMORY_VARIABLE)


@contextmanager
def as_findings(path: Path) -> Iterator[None]:
    """Turn errors of the disk, the catalogue and the engine's writing under `path` into FindingErrors.

    What is none of these is a program fault and passes through.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise disk_full(path) from error
        if error.errno in _NO_RIGHT:
            raise not_writable(path, text_of(error)) from error
        raise
    except sqlite3.Error as error:
        raise of_catalogue(path, error) from error
    except duckdb.Error as error:
        text = str(error)
        if any(word in text for word in _FULL_WORDS) or free_bytes(path) < _BYTES_LEFT_AT_LEAST:
            raise disk_full(path) from error
        if any(word in text for word in _RIGHT_WORDS):
            raise not_writable(path, text_of(error)) from error
        memory = of_memory(error)
        if memory is not None:
            raise FindingError(memory) from error
        raise


def of_catalogue(path: Path, error: sqlite3.Error) -> Exception:
    """The FindingError for an error of the catalogue in `path`, or the error itself (a program fault)."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return disk_full(path)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT):
        return catalogue_damaged(path, text_of(error))
    if code == sqlite3.SQLITE_ERROR and str(error).startswith(("no such table", "no such column")):
        return catalogue_damaged(path, text_of(error))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _about(BUSY, path)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return not_writable(path, text_of(error))
    if code == sqlite3.SQLITE_IOERR:
        return (
            disk_full(path)
            if free_bytes(path) < _BYTES_LEFT_AT_LEAST
            else catalogue_damaged(path, text_of(error))
        )
    return error
