"""What an untrusted file may cost: sizes above which reading stops with a finding."""

from __future__ import annotations

CHUNK_BYTES = 32 << 20
"""Text handed to the engine at a time; bounds memory whatever the file's size."""
MAX_LINE_BYTES = 8 << 20
MAX_UNPACKED_BYTES = 64 << 30
"""Of a .gz, in all."""
MAX_UNPACK_RATIO = 500
"""Of a .gz, once more than MIN_RATIO_BYTES came out; text packs 5 to 30 times."""
MIN_RATIO_BYTES = 1 << 30
MAX_SHEET_BYTES = 4 << 30
"""Of one part of a workbook, unpacked."""
MAX_SHEET_RATIO = 200
"""Of one part of a workbook, once it is larger than MIN_SHEET_BYTES; honest sheets pack 5 to 50 times."""
MIN_SHEET_BYTES = 16 << 20
MAX_STRINGS_BYTES = 512 << 20
"""Of a workbook's shared strings, which are held in memory."""
MAX_HEADER_LINES = 200
"""How far down the header is looked for."""
MAX_QUOTED_LINES = 100
"""How many lines one quoted cell may run over."""
MAX_COLUMNS = 16_384
MAX_QUARANTINE = 100_000
SHOWN = 60
"""Characters of a cell that a finding shows."""
