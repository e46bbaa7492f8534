"""Every kind of finding about a table file, its header and its cells.

They stand in one module because rows are judged in SQL: `FLAWS` gives each judgement on a row or cell its number.
"""

from __future__ import annotations

from celadon.core.findings import FindingKind, Severity
from celadon.core.text import Text
from celadon.core.units import UNIT_MISMATCH, UNIT_UNKNOWN


def _kind(
    code: str, severity: Severity, title: tuple[str, str], says: tuple[str, str], fix: tuple[str, str]
) -> FindingKind:
    """A kind from (en, zh) pairs."""
    return FindingKind(code, severity, Text(*title), Text(*says), Text(*fix))


_ERROR, _WARNING, _NOTICE = Severity.ERROR, Severity.WARNING, Severity.NOTICE

# --- the file -------------------------------------------------------------------------------------------------
TABLE_UNREADABLE = _kind(
    "table.unreadable", _ERROR,
    ("File cannot be read", "文件无法读取"),
    ("The file cannot be read as {format}: {reason}.", "无法按 {format} 读取该文件：{reason}。"),
    ("Check that the file is there, complete and not damaged, and export it again.", "请检查文件是否存在、完整、未损坏，必要时重新导出。"),
)  # fmt: skip
TABLE_EMPTY = _kind(
    "table.empty", _ERROR,
    ("Empty file", "空文件"),
    ("The file holds nothing.", "文件没有任何内容。"),
    ("Export it again, or take it out of the source's files.", "请重新导出，或从数据源的文件列表中去掉它。"),
)  # fmt: skip
TABLE_HEADER_ONLY = _kind(
    "table.header-only", _WARNING,
    ("No rows below the header", "表头下没有数据"),
    ("There is a header but not one row of data below it.", "只有表头，没有任何数据行。"),
    ("Check the export's period; nothing was read from this file.", "请检查导出的时间范围；该文件没有读入任何数据。"),
)  # fmt: skip
FORMAT_UNSUPPORTED = _kind(
    "table.format-unsupported", _ERROR,
    ("Format not supported", "不支持的格式"),
    ("The file is {format}, which Celadon does not read.", "该文件是 {format}，Celadon 不能读取。"),
    ("Save it as xlsx (without a password), CSV or Parquet.", "请另存为（不加密的）xlsx、CSV 或 Parquet。"),
)  # fmt: skip
FORMAT_MISLEADS = _kind(
    "table.format-misleads", _NOTICE,
    ("Name and content differ", "文件名与内容不符"),
    ("By its name or the plant file this is {said}, by its content {format}; it is read as {format}.", "按文件名或工厂文件应为 {said}，内容却是 {format}；已按 {format} 读取。"),
    ("Rename the file, or correct `format`.", "请改正文件名或 format 设置。"),
)  # fmt: skip
TABLE_TOO_LARGE = _kind(
    "table.too-large", _ERROR,
    ("Unpacks to too much", "解压后过大"),
    ("{what} unpacks to more than {limit}; reading stopped.", "{what} 解压后超过 {limit}，已停止读取。"),
    ("If the file is honest, export it as CSV in smaller pieces.", "若文件无误，请分段导出为 CSV。"),
)  # fmt: skip
XML_FORBIDDEN = _kind(
    "table.xml-forbidden", _ERROR,
    ("Workbook with a document type", "工作簿含有文档类型声明"),
    ("Part “{part}” of the workbook declares a document type, or hides what stands before its content; no spreadsheet program writes so.", "工作簿的“{part}”部分含文档类型声明，或在正文前隐藏内容，正常的表格软件不会这样写。"),
    ("Do not trust this file; ask its sender for a CSV.", "请勿信任该文件，请对方提供 CSV。"),
)  # fmt: skip
LINE_TOO_LONG = _kind(
    "table.line-too-long", _ERROR,
    ("Line too long", "行过长"),
    ("A line is longer than {limit}: this is no table of rows.", "有一行超过 {limit}，这不是按行存放的表格。"),
    ("Check the file; rows must end with a line break.", "请检查文件，每行应以换行结束。"),
)  # fmt: skip
STOPS = (TABLE_UNREADABLE, TABLE_TOO_LARGE, LINE_TOO_LONG)
"""What ends the reading of a file where it stands."""
ENCODING_GUESSED = _kind(
    "table.encoding-guessed", _WARNING,
    ("Encoding guessed", "编码为推测"),
    ("The text is neither UTF-8 nor GBK; it is read as {encoding}.", "文本既非 UTF-8 也非 GBK，已按 {encoding} 读取。"),
    ("Set `encoding` of the source to be sure.", "请在数据源中设置 encoding。"),
)  # fmt: skip
ENCODING_MIXED = _kind(
    "table.encoding-mixed", _ERROR,
    ("Line in another encoding", "行编码不一致"),
    ("{count} lines are not {encoding} like the rest of the file (lines {lines}).", "有 {count} 行与文件其余部分的编码 {encoding} 不一致（行 {lines}）。"),
    ("Correct these rows in the quarantine and replay them, or export the file in one encoding.", "请在隔离区更正并重放这些行，或以单一编码重新导出。"),
)  # fmt: skip
QUOTE_OPEN = _kind(
    "table.quote-open", _ERROR,
    ("Quote never closed", "引号未闭合"),
    ("{count} lines open a quote that is not closed within 100 lines (lines {lines}).", "有 {count} 行的引号在 100 行内没有闭合（行 {lines}）。"),
    ("Correct these rows in the quarantine and replay them.", "请在隔离区更正并重放这些行。"),
)  # fmt: skip
SHEET_MISSING = _kind(
    "table.sheet-missing", _ERROR,
    ("No such sheet", "没有该工作表"),
    ("There is no sheet “{sheet}”; the workbook has: {sheets}.", "没有工作表“{sheet}”；工作簿包含：{sheets}。"),
    ("Set `sheet` to one of these names, or to its number from 1.", "请将 sheet 设为其中一个名称，或从 1 起的序号。"),
)  # fmt: skip
SHEETS_UNREAD = _kind(
    "table.sheets-unread", _WARNING,
    ("Other sheets look the same", "另有相同格式的工作表"),
    ("Other sheets have the same columns and are not read: {sheets}.", "另有列名相同的工作表未读取：{sheets}。"),
    ("Write a source for each sheet with its `sheet`, the same `files` in all; or name the one that is meant.", "请为每个工作表各写一个数据源（`files` 相同，`sheet` 各异）；或用 `sheet` 指明要读取的一个。"),
)  # fmt: skip
SETTING_INVALID = _kind(
    "table.setting-invalid", _ERROR,
    ("Setting cannot be used", "设置无效"),
    ("`{setting}: {value}` cannot be used: {reason}.", "“{setting}: {value}”无法使用：{reason}。"),
    ("Correct the source in the plant file.", "请在工厂文件中更正该数据源。"),
)  # fmt: skip

# --- the header -----------------------------------------------------------------------------------------------
COLUMN_MISSING = _kind(
    "table.column-missing", _ERROR,
    ("Column missing", "缺少列"),
    ("There is no column “{column}”{hint}; the header has: {columns}.", "没有“{column}”列{hint}；表头为：{columns}。"),
    ("Correct the column's name in the plant file, or `header_row` if the header is another line.", "请更正工厂文件中的列名；若表头在别的行，请设置 header_row。"),
)  # fmt: skip
COLUMN_DUPLICATE = _kind(
    "table.column-duplicate", _ERROR,
    ("Column name used twice", "列名重复"),
    ("{count} columns are called “{column}”; none of them was read.", "有 {count} 列名为“{column}”，均未读取。"),
    ("Rename the columns, or write “{column}#1”, “{column}#2” … for the one you mean.", "请重命名，或用“{column}#1”“{column}#2”指明是哪一列。"),
)  # fmt: skip
HEADER_MISSING = _kind(
    "table.header-missing", _ERROR,
    ("No header row", "没有表头行"),
    ("There is no header row{at}.", "没有找到表头行{at}。"),
    ("Set `header_row` to the line the column names are in, counted from 1.", "请用 header_row 指明列名所在行（从 1 起）。"),
)  # fmt: skip
HEADER_REPEATED = _kind(
    "table.header-repeated", _NOTICE,
    ("Header repeated", "表头重复"),
    ("The header line is repeated {count} times (lines {lines}); these lines are skipped.", "表头行重复出现 {count} 次（行 {lines}），已跳过。"),
    ("Nothing to do; the file was put together from several exports.", "无需处理；该文件由多次导出拼接而成。"),
)  # fmt: skip
METER_UNKNOWN = _kind(
    "table.meter-unknown", _ERROR,
    ("Unknown meter", "未知计量点"),
    ("“{meter}” is not a meter of this plant{hint} ({count} rows, lines {lines}).", "“{meter}”不是本厂计量点{hint}（{count} 行，行 {lines}）。"),
    ("Declare the meter in the plant file, or correct the name; then replay the quarantined rows.", "请在工厂文件中声明该计量点或更正名称，然后重放隔离的行。"),
)  # fmt: skip
METER_MAPPED_TWICE = _kind(
    "table.meter-mapped-twice", _ERROR,
    ("Meter mapped twice", "计量点重复映射"),
    ("Columns “{first}” and “{column}” both say they are meter {meter}; only the first was read.", "“{first}”与“{column}”两列都映射到计量点 {meter}，只读取了第一列。"),
    ("Map each meter to one column.", "每个计量点只能对应一列。"),
)  # fmt: skip

# --- rows and cells -------------------------------------------------------------------------------------------
ROW_RAGGED = _kind(
    "table.row-ragged", _ERROR,
    ("Row of another length", "行的列数不符"),
    ("{count} rows do not have the header's {width} columns (lines {lines}; the first: “{value}”).", "有 {count} 行的列数与表头（{width} 列）不符（行 {lines}；首个：“{value}”）。"),
    ("Look for a missing or an unquoted delimiter (a decimal comma in a comma file?), correct the rows and replay them.", "请检查是否缺少分隔符或有未加引号的分隔符（如逗号小数），更正后重放。"),
)  # fmt: skip
TIME_MISSING = _kind(
    "table.time-missing", _ERROR,
    ("Row without a time", "缺少时间"),
    ("{count} rows have values but no time (lines {lines}).", "有 {count} 行有数值但没有时间（行 {lines}）。"),
    ("Fill in the times and replay these rows.", "请补全时间后重放这些行。"),
)  # fmt: skip
TIME_UNREADABLE = _kind(
    "table.time-unreadable", _ERROR,
    ("Time cannot be read", "时间无法识别"),
    ("{count} times cannot be read as {format} (lines {lines}; the first: “{value}”).", "有 {count} 个时间无法按 {format} 识别（行 {lines}；首个：“{value}”）。"),
    ("Set `time.format` to how the file writes times, e.g. \"%d/%m/%Y %H:%M\"; or correct the rows and replay them.", "请用 time.format 写明格式，如 \"%d/%m/%Y %H:%M\"；或更正后重放。"),
)  # fmt: skip
TIME_IMPOSSIBLE = _kind(
    "table.time-impossible", _ERROR,
    ("Impossible date or time", "日期或时间不存在"),
    ("{count} dates or times do not exist in the calendar (lines {lines}; the first: “{value}”).", "有 {count} 个日期或时间不存在（行 {lines}；首个：“{value}”）。"),
    ("If day and month are exchanged set `time.format`; else correct the rows and replay them.", "若日月颠倒请设置 time.format，否则请更正后重放。"),
)  # fmt: skip
TIME_NONEXISTENT = _kind(
    "table.time-nonexistent", _ERROR,
    ("Local time skipped by the clock change", "夏令时跳过的时间"),
    ("{count} local times do not exist in {zone}, where the clock was put forward (lines {lines}; the first: “{value}”).", "有 {count} 个当地时间在 {zone} 因拨快时钟而不存在（行 {lines}；首个：“{value}”）。"),
    ("If the logger keeps standard time all year set `time.zone` to a fixed one (such as Etc/GMT-1); else correct the rows and replay them.", "若记录器全年使用标准时间，请将 time.zone 设为固定时区（如 Etc/GMT-1）；否则请更正后重放。"),
)  # fmt: skip
TIME_FAR = _kind(
    "table.time-far", _ERROR,
    ("Time out of all likelihood", "时间不合常理"),
    ("{count} times are before 1970 or more than a year in the future (lines {lines}; the first: “{value}”).", "有 {count} 个时间早于 1970 年或在一年多以后（行 {lines}；首个：“{value}”）。"),
    ("Check the logger's clock and `time.format`; correct the rows and replay them.", "请检查记录器时钟与 time.format，更正后重放。"),
)  # fmt: skip
TIME_FUTURE = _kind(
    "table.time-future", _WARNING,
    ("Times in the future", "时间在未来"),
    ("{count} readings are later than now, the last at {last} UTC.", "有 {count} 条读数晚于当前时间，最晚为 {last} UTC。"),
    ("Check the logger's clock and the zone; the readings are kept.", "请检查记录器时钟与时区；读数已保留。"),
)  # fmt: skip
TIME_REPEATED_ONCE = _kind(
    "table.hour-given-once", _WARNING,
    ("Repeated hour given once", "重复小时只出现一次"),
    ("The hour that the clock repeats in {zone} is in the file once for {count} meter-days (the first at line {lines}); it was taken as the first.", "{zone} 拨慢时钟而重复的一小时在文件中只出现一次（{count} 个表日，首个在行 {lines}），已按第一次处理。"),
    ("Set `time.fold: second` if the file keeps the second one, or `time.zone` to a fixed zone if the clock is never changed.", "若文件保留的是第二次，请设 time.fold: second；若时钟从不调整，请将 time.zone 设为固定时区。"),
)  # fmt: skip
TIME_REPEATED_OFTEN = _kind(
    "table.hour-given-often", _ERROR,
    ("Repeated hour given more than twice", "重复小时超过两次"),
    ("In the hour that the clock repeats in {zone}, {count} readings start over for a third time (lines {lines}); which hour they mean cannot be told.", "在 {zone} 拨慢时钟的小时内，有 {count} 条读数第三次重新开始（行 {lines}），无法判断属于哪一小时。"),
    ("Write the offset into these times (2024-11-03 01:15-05:00) and replay them.", "请在这些时间中写明偏移（如 2024-11-03 01:15-05:00）后重放。"),
)  # fmt: skip
SPAN_OPEN = _kind(
    "table.span-open", _WARNING,
    ("Last interval not closed", "末尾区间未闭合"),
    ("{count} values of `until-next` meters have no neighbouring stamp that bounds their interval (lines {lines}).", "有 {count} 个 until-next 计量点的数值缺少界定区间的相邻时间（行 {lines}）。"),
    ("Add a closing row with a time and a blank value, then load the file again.", "请补一行只有时间、数值为空的结束行，再重新加载。"),
)  # fmt: skip
NUMBER_UNREADABLE = _kind(
    "table.number-unreadable", _ERROR,
    ("Not a number", "不是数字"),
    ("{count} cells are not numbers (lines {lines}; the first: “{value}”).", "有 {count} 个单元格不是数字（行 {lines}；首个：“{value}”）。"),
    ("If the text means “no value” add it to `missing`; else correct the rows and replay them.", "若该文本表示无数据，请加入 missing；否则请更正后重放。"),
)  # fmt: skip
NUMBER_NOT_FINITE = _kind(
    "table.number-not-finite", _ERROR,
    ("Not a finite number", "不是有限数"),
    ("{count} cells are infinite, NaN or too large for a number (lines {lines}; the first: “{value}”).", "有 {count} 个单元格为无穷、NaN 或超出数值范围（行 {lines}；首个：“{value}”）。"),
    ("If it means “no value” add it to `missing`; else correct the rows and replay them.", "若表示无数据，请加入 missing；否则请更正后重放。"),
)  # fmt: skip
NUMBER_CONVENTION = _kind(
    "table.number-convention", _ERROR,
    ("Number in another convention", "数字书写方式不符"),
    ("{count} numbers are not written with `decimal: \"{decimal}\"` and `thousands: \"{thousands}\"` (lines {lines}; the first: “{value}”).", "有 {count} 个数字与 decimal: \"{decimal}\"、thousands: \"{thousands}\" 不符（行 {lines}；首个：“{value}”）。"),
    ("Set `decimal` and `thousands` to how the file writes numbers.", "请按文件的写法设置 decimal 与 thousands。"),
)  # fmt: skip
NUMBER_AMBIGUOUS = _kind(
    "table.number-ambiguous", _ERROR,
    ("Number that can be read two ways", "数字有两种读法"),
    ("{count} numbers such as “{value}” would differ by a factor of 1000, and other cells of the column contradict `decimal: \"{decimal}\"` (lines {lines}).", "有 {count} 个如“{value}”的数字两种读法相差 1000 倍，且同列其他单元格与 decimal: \"{decimal}\" 矛盾（行 {lines}）。"),
    ("Set `decimal` and `thousands` to how the file writes numbers; if only single cells are wrong, correct and replay them.", "请按文件的写法设置 decimal 与 thousands；若仅个别单元格有误，请更正后重放。"),
)  # fmt: skip
STATE_UNKNOWN = _kind(
    "table.state-unknown", _ERROR,
    ("Unknown state", "未知状态"),
    ("{count} cells hold no known state of the point (lines {lines}; the first: “{value}”).", "有 {count} 个单元格不是该点的已知状态（行 {lines}；首个：“{value}”）。"),
    ("List the point's states in the plant file (`states`), or correct the rows and replay them.", "请在工厂文件用 states 列出状态，或更正后重放。"),
)  # fmt: skip
UNIT_CONVERTED = _kind(
    "table.unit-converted", _NOTICE,
    ("Unit converted", "单位已换算"),
    ("The column is in {unit}; it is converted to the meter's {target} (factor {factor}).", "该列单位为 {unit}，已换算为计量点单位 {target}（系数 {factor}）。"),
    ("Nothing to do if the header is right; else give the unit with the column in the plant file.", "若表头无误则无需处理，否则请在工厂文件中为该列写明单位。"),
)  # fmt: skip
UNIT_CONTRADICTS = _kind(
    "table.unit-contradicts", _WARNING,
    ("Header and plant file name different units", "表头与工厂文件的单位不同"),
    ("The header says {header}, the plant file says {unit}; the plant file's unit is taken.", "表头写 {header}，工厂文件写 {unit}；按工厂文件的单位读取。"),
    ("Correct the unit in the plant file, or the header; the values differ by the factor between them.", "请更正工厂文件中的单位或表头；两者换算系数不同，数值会随之相差。"),
)  # fmt: skip
UNIT_CHANGES = _kind(
    "table.unit-changes", _NOTICE,
    ("Unit changes inside the file", "文件内单位变化"),
    ("Meter {meter} is in {unit} from here on, before in {before}; values are converted exactly (factor {factor}).", "计量点 {meter} 自此行起单位为 {unit}（之前为 {before}），数值已精确换算（系数 {factor}）。"),
    ("Nothing to do if the file is right.", "若文件无误则无需处理。"),
)  # fmt: skip
FORMULA_CACHED = _kind(
    "table.formula-cached", _NOTICE,
    ("Formulas in the sheet", "工作表含公式"),
    ("{count} cells are formulas; the values saved with the workbook are used (lines {lines}).", "有 {count} 个单元格为公式，采用工作簿保存的结果（行 {lines}）。"),
    ("Make sure the workbook was saved after its last calculation.", "请确认工作簿在最后一次计算后已保存。"),
)  # fmt: skip
FORMULA_EMPTY = _kind(
    "table.formula-empty", _ERROR,
    ("Formula without a saved value", "公式没有保存结果"),
    ("{count} cells are formulas without a saved result (lines {lines}; the first: “{value}”).", "有 {count} 个公式单元格没有保存结果（行 {lines}；首个：“{value}”）。"),
    ("Open the workbook, let it calculate and save it; Celadon does not calculate formulas.", "请打开工作簿计算并保存；Celadon 不计算公式。"),
)  # fmt: skip
QUARANTINE_FULL = _kind(
    "table.quarantine-full", _WARNING,
    ("Quarantine cut short", "隔离区已截断"),
    ("{count} rows are bad; only the first {limit} are kept in the quarantine.", "共有 {count} 行有误，隔离区只保留前 {limit} 行。"),
    ("So many alike mean a wrong setting: correct the plant file and load the file again.", "大量相同错误通常是设置有误：请更正工厂文件后重新加载。"),
)  # fmt: skip

# --- records --------------------------------------------------------------------------------------------------
FIELD_MISSING = _kind(
    "table.field-missing", _ERROR,
    ("Field not mapped", "字段未映射"),
    ("The source does not say which column is “{field}”.", "数据源没有说明哪一列是“{field}”。"),
    ("Add “{field}” to `fields` of the source (a header, or =text for a constant).", "请在数据源的 fields 中加入“{field}”（列名，或用 =文本 表示常量）。"),
)  # fmt: skip
FIELD_BLANK = _kind(
    "table.field-blank", _ERROR,
    ("Field left blank", "必填项为空"),
    ("{count} records leave this field blank (lines {lines}).", "有 {count} 条台账该项为空（行 {lines}）。"),
    ("Fill the field in and replay these rows.", "请补全后重放这些行。"),
)  # fmt: skip
PLACE_UNKNOWN = _kind(
    "table.place-unknown", _ERROR,
    ("Unknown site or process", "未知厂区或工序"),
    ("{count} records name a {what} that the plant does not have (lines {lines}; the first: “{value}”).", "有 {count} 条台账的{what}不在工厂文件中（行 {lines}；首个：“{value}”）。"),
    ("Declare it in the plant file, or translate it in the source's `map`.", "请在工厂文件中声明，或在数据源的 map 中对应。"),
)  # fmt: skip
ITEM_UNKNOWN = _kind(
    "table.item-unknown", _ERROR,
    ("Unknown energy carrier", "未知能源品种"),
    ("{count} records are of “{value}”, which is not a carrier Celadon or the plant knows (lines {lines}).", "有 {count} 条台账的品种“{value}”不是已知能源品种（行 {lines}）。"),
    ("Translate it in the source's `map`, or declare the carrier in the plant file.", "请在数据源的 map 中对应，或在工厂文件中声明该品种。"),
)  # fmt: skip
PERIOD_REVERSED = _kind(
    "table.period-reversed", _ERROR,
    ("Period ends before it starts", "期间颠倒"),
    ("{count} records end before they start (lines {lines}; the first: “{value}”).", "有 {count} 条台账的结束早于开始（行 {lines}；首个：“{value}”）。"),
    ("Correct the dates and replay these rows.", "请更正日期后重放。"),
)  # fmt: skip

FLAWS: dict[int, FindingKind] = {
    1: ENCODING_MIXED,
    2: QUOTE_OPEN,
    3: ROW_RAGGED,
    4: TIME_MISSING,
    5: TIME_UNREADABLE,
    6: TIME_IMPOSSIBLE,
    7: TIME_FAR,
    8: TIME_NONEXISTENT,
    9: TIME_REPEATED_OFTEN,
    10: SPAN_OPEN,
    11: METER_UNKNOWN,
    12: NUMBER_UNREADABLE,
    13: NUMBER_NOT_FINITE,
    14: NUMBER_CONVENTION,
    15: NUMBER_AMBIGUOUS,
    16: STATE_UNKNOWN,
    17: FORMULA_EMPTY,
    18: UNIT_UNKNOWN,
    19: UNIT_MISMATCH,
    20: FIELD_BLANK,
    21: PLACE_UNKNOWN,
    22: ITEM_UNKNOWN,
    23: PERIOD_REVERSED,
}
"""The number that stands for each judgement on a row or cell in SQL."""
FLAW: dict[str, int] = {
    kind.code.split(".", 1)[1] if kind.code.startswith("table.") else kind.code: n
    for n, kind in FLAWS.items()
}
"""`time-missing` -> 4 …; the two core kinds keep their area: `unit.unknown`."""
HEADER_SKIP = 100
"""A line that repeats the header: skipped with a notice, not quarantined."""
