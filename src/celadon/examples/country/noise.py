"""Noise from the engine's own hash: the k-th draw of a row follows from the row's seed alone, in any order, on any thread.

One version of the engine gives everybody the same draws; another may give others, which are as good.
"""

from __future__ import annotations

import duckdb

_MACROS = (
    # hashed twice: the engine only crosses the hashes of two columns, which leaves draws of one row alike
    "draw(base, k) AS hash(hash(base, k))",
    "uniform(base, k) AS (draw(base, k) >> 11) / 9007199254740992e0",
    # four 16-bit uniforms of one draw: mean 2, variance 1/3; near enough to normal within three deviations
    "normal(base, k) AS ((draw(base, k) & 65535) + ((draw(base, k) >> 16) & 65535) + ((draw(base, k) >> 32) & 65535) "
    "+ (draw(base, k) >> 48))::BIGINT / 65536e0 * 1.7320508075688772e0 - 3.4641016151377544e0",
    # `digits` significant digits, as a person rounds
    "significant(x, digits) AS CASE WHEN x > 0 THEN round(x, digits - 1 - floor(log10(x))::INTEGER) ELSE x END",
)


def define(con: duckdb.DuckDBPyConnection) -> None:
    """Make the noise macros on `con`."""
    for macro in _MACROS:
        con.execute(f"CREATE OR REPLACE TEMP MACRO {macro}")
