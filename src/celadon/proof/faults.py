"""What can be wrong with filings, keys and the log. The texts of what the small verifier finds are the verifier's own."""

from __future__ import annotations

from celadon.core.findings import Finding, FindingKind, Place, Severity
from celadon.core.text import Text
from celadon.proof import verifier


def _says(code: str) -> Text:
    return Text(*verifier.SAYS[code].split(" | "))


_AGAIN = Text(
    "Ask the sender for the file again, and compare its SHA-256.",
    "请向发送方重新索取文件，并核对其 SHA-256。",
)
_NOT_TRUSTED = Text(
    "Do not rely on this file: it is not what was filed. Ask the sender for the filing as signed.",
    "请勿采信该文件：它与申报内容不符。请向发送方索取签名时的申报包。",
)

UNREADABLE = FindingKind(
    "filing.unreadable",
    Severity.ERROR,
    Text("Filing cannot be opened", "申报包无法打开"),
    _says("filing.unreadable"),
    _AGAIN,
)
UNSAFE_NAME = FindingKind(
    "filing.unsafe-name",
    Severity.ERROR,
    Text("Filing holds an unsafe name", "申报包含有不安全的文件名"),
    _says("filing.unsafe-name"),
    Text(
        "Do not unpack it by other means; ask the sender where it came from.",
        "请勿用其他方式解包；请向发送方核实来源。",
    ),
)
OVER_LIMIT = FindingKind(
    "filing.over-limit",
    Severity.ERROR,
    Text("Filing unpacks to too much", "申报包解包过大"),
    _says("filing.over-limit"),
    Text(
        "File a shorter period; what is larger than this is not read.",
        "请缩短申报期间；超过此限的文件不予读取。",
    ),
)
NOT_A_BAG = FindingKind(
    "filing.not-a-bag",
    Severity.ERROR,
    Text("Not a filing", "不是申报包"),
    _says("filing.not-a-bag"),
    Text(
        "Give the file that `celadon file` wrote, as it was written.",
        "请提供由 `celadon file` 写成的原文件。",
    ),
)
FILE_MISSING = FindingKind(
    "filing.file-missing",
    Severity.ERROR,
    Text("File of a filing missing", "申报包缺少文件"),
    _says("filing.file-missing"),
    _NOT_TRUSTED,
)
FILE_UNLISTED = FindingKind(
    "filing.file-unlisted",
    Severity.ERROR,
    Text("File that was not filed", "申报包中有未申报的文件"),
    _says("filing.file-unlisted"),
    _NOT_TRUSTED,
)
FILE_CHANGED = FindingKind(
    "filing.file-changed",
    Severity.ERROR,
    Text("File of a filing changed", "申报包文件被更改"),
    _says("filing.file-changed"),
    _NOT_TRUSTED,
)
SIGNATURE = FindingKind(
    "filing.signature",
    Severity.ERROR,
    Text("Signature does not hold", "签名不成立"),
    _says("filing.signature"),
    _NOT_TRUSTED,
)
OTHER_KEY = FindingKind(
    "filing.other-key",
    Severity.ERROR,
    Text("Signed with another key", "签名密钥不符"),
    _says("filing.other-key"),
    Text(
        "Ask the firm which key it signs with; somebody else may have made this file.",
        "请向企业核实其签名密钥；该文件可能出自他人。",
    ),
)
CONTENT = FindingKind(
    "filing.content",
    Severity.ERROR,
    Text("Content of a filing cannot be used", "申报内容无法使用"),
    _says("filing.content"),
    _NOT_TRUSTED,
)
CONSERVATION = FindingKind(
    "filing.conservation",
    Severity.ERROR,
    Text("Registers of a filing do not add up", "申报包表计不守恒"),
    _says("filing.conservation"),
    _NOT_TRUSTED,
)
SUM = FindingKind(
    "filing.sum",
    Severity.ERROR,
    Text("Figures of a filing do not add up", "申报数值合计不符"),
    _says("filing.sum"),
    _NOT_TRUSTED,
)
LOG_PROOF = FindingKind(
    "filing.log-proof",
    Severity.ERROR,
    Text("Inclusion in the log not proved", "未能证明已入日志"),
    _says("filing.log-proof"),
    Text(
        "Ask the firm for the proof of this filing: `celadon filings PLANT ID --output FILE` writes it.",
        "请向企业索取本申报的包含证明：由 `celadon filings PLANT 编号 --output 文件` 写出。",
    ),
)
KEY_REVOKED = FindingKind(
    "filing.key-revoked",
    Severity.ERROR,
    Text("Signed with a withdrawn key", "签名密钥已撤销"),
    _says("filing.key-revoked"),
    Text(
        "Ask for the filing signed with the firm's present key; or give a head of its log that you kept from before then "
        "(--proof, --head), if that counts it.",
        "请索取以企业现用密钥签名的申报；若您在此之前保存过其日志头且其已计入本申报，请用 --proof 与 --head 给出。",
    ),
)
KEY_REVOKED_LATER = FindingKind(
    "filing.key-revoked-later",
    Severity.WARNING,
    Text("Its key was withdrawn later", "签名密钥此后已撤销"),
    Text(
        "The key {key} was withdrawn at {at} ({reason}); the log's head in {path} already counts this filing.",
        "密钥 {key} 已于 {at} 撤销（{reason}）；{path} 中的日志头已计入本申报。",
    ),
    Text(
        "Rely on it only if you kept that head from before then.",
        "仅当该日志头是您在此之前保存的，方可采信。",
    ),
)
HEAD_UNREADABLE = FindingKind(
    "filing.head-unreadable",
    Severity.ERROR,
    Text("Not the head of a log", "不是日志头"),
    Text(
        "{path} is no checkpoint of a log, or the proof has none.",
        "{path} 不是日志检查点，或证明文件中没有检查点。",
    ),
    Text(
        "Give what `celadon filings PLANT --head` printed.", "请给出 `celadon filings PLANT --head` 的输出。"
    ),
)
HEAD_OTHER = FindingKind(
    "filing.head-of-another",
    Severity.ERROR,
    Text("Head of another log", "他人的日志头"),
    Text(
        "{path} is a head of the log {found}, the proof is of {log}.",
        "{path} 是日志 {found} 的日志头，而证明属于 {log}。",
    ),
    Text("Give the head that you kept of this firm's log.", "请给出您保存的该企业日志头。"),
)
HEAD_UNPROVED = FindingKind(
    "filing.head-unproved",
    Severity.ERROR,
    Text("Kept head and proof not connected", "日志头与证明尚未衔接"),
    Text(
        "{path} counts {head} entries and the proof {size}; {growth}, which would show that one grew into the other, is not there.",
        "{path} 计 {head} 条，证明计 {size} 条；缺少证明两者延续关系的 {growth}。",
    ),
    Text(
        "Send the firm that head: `celadon filings PLANT ID --since HEAD --output FILE` writes what is missing.",
        "请将该日志头发给企业，由 `celadon filings PLANT 编号 --since 日志头 --output 文件` 写出所缺文件。",
    ),
)
KEY_NOT_COMPARED = FindingKind(
    "filing.key-not-compared",
    Severity.NOTICE,
    Text("Nobody has said whose key it is", "尚未核对密钥归属"),
    Text(
        "The signature holds under {key}, the key that the file itself names.",
        "按文件自身所列密钥 {key}，签名成立。",
    ),
    Text(
        "Compare it with the key the firm has published, and give that one with --key.",
        "请与企业公布的密钥核对，并用 --key 指定。",
    ),
)
DIFFERENT = FindingKind(
    "filing.different",
    Severity.ERROR,
    Text("Figure comes out different", "重算结果不同"),
    Text(
        "{quantity} {place} {period}: filed {filed} {unit}, computed anew from the file {computed} {unit} ({what}).",
        "{quantity} {place} {period}：申报 {filed} {unit}，由文件重算为 {computed} {unit}（{what}）。",
    ),
    Text(
        "Filed with Celadon {version}: compute it with that version; if it differs there too, the figure does not follow from the facts.",
        "申报所用版本为 Celadon {version}：请用该版本重算；若仍不同，则该数值不能由所附数据得出。",
    ),
)
CALCULATED = FindingKind(
    "filing.calculated-facts",
    Severity.ERROR,
    Text("Calculated facts come out different", "推算数据重算结果不同"),
    Text(
        "{count} facts differ from what {rulebooks} gives for them; the first: {quantity}, filed {filed} {unit}, computed anew "
        "from the file {computed} {unit}.",
        "有 {count} 条数据与 {rulebooks} 的推算结果不同；首条：{quantity}，申报 {filed} {unit}，由文件重算为 {computed} {unit}。",
    ),
    Text(
        "The figures rest on facts that do not follow from what was measured: ask the firm why.",
        "申报数值所依据的数据不能由计量结果得出：请向企业核实。",
    ),
)
RAW_FACTS = FindingKind(
    "filing.facts-not-read",
    Severity.ERROR,
    Text("Facts are not what the readings give", "数据与读数不符"),
    Text(
        "{count} facts are not what the readings and records in the filing give; {quantity} was filed as {filed}, and comes to "
        "{computed} {unit}.",
        "有 {count} 项数据与申报包内的读数和台账不符；{quantity} 申报值为 {filed}，由读数得出 {computed} {unit}。",
    ),
    Text(
        "Ask whoever filed it for the source files that sources.csv names, and compare the meter's lines.",
        "请向申报方索取 sources.csv 所列的原始文件，并核对计量点的读数行。",
    ),
)
RAW_DIFFERS = FindingKind(
    "filing.readings-differ",
    Severity.ERROR,
    Text("Readings are not those that were told of", "读数与所述不符"),
    Text(
        "{path} does not tell of the readings and records that the filing carries.",
        "{path} 所述并非申报包所附的读数与台账。",
    ),
    _NOT_TRUSTED,
)
READINGS_TOO_MANY = FindingKind(
    "filing.readings-too-many",
    Severity.ERROR,
    Text("Too many readings for a filing", "读数过多，无法随附"),
    Text(
        "The period has {count} readings; a filing carries {most} at most.",
        "该期间有 {count} 条读数；申报包最多可附 {most} 条。",
    ),
    Text(
        "File a shorter period, or without --readings: digests of the readings are in every filing.",
        "请缩短期间，或不加 --readings 申报：每份申报包均含读数摘要。",
    ),
)
ALREADY = FindingKind(
    "filing.already",
    Severity.NOTICE,
    Text("Filed before", "此前已申报"),
    Text(
        "The same facts, rulebook and figures were filed on {filed_at} as {id}: nothing was added.",
        "相同的数据、规则册与数值已于 {filed_at} 申报（{id}）：未新增。",
    ),
    Text("Nothing to do.", "无需处理。"),
)
NOT_FILED = FindingKind(
    "filing.unknown",
    Severity.ERROR,
    Text("No such filing", "没有该申报"),
    Text("No filing of {plant} is {id}.", "{plant} 没有编号为 {id} 的申报。"),
    Text("`celadon filings PLANT` lists those there are.", "用 `celadon filings PLANT` 查看已有申报。"),
)
LOG_DAMAGED = FindingKind(
    "filing.log-damaged",
    Severity.ERROR,
    Text("Log of filings damaged", "申报日志损坏"),
    Text(
        "The log in {path} is not what its checkpoint says: {count} entries are vouched for.",
        "{path} 中的日志与其检查点不一致：检查点担保 {count} 条。",
    ),
    Text(
        "Put the folder back from a backup; nothing is filed until then.",
        "请从备份恢复该文件夹；在此之前不再申报。",
    ),
)
LOG_OTHER = FindingKind(
    "filing.log-not-consistent",
    Severity.ERROR,
    Text("Log of filings was rewritten", "申报日志被改写"),
    Text(
        "The log of {size} entries does not begin with the {earlier} that the checkpoint {path} vouches for.",
        "现有 {size} 条的日志并非由检查点 {path} 所担保的 {earlier} 条延续而来。",
    ),
    Text(
        "An entry was changed or taken out after that checkpoint: ask the firm why.",
        "该检查点之后有条目被更改或删除：请向企业核实。",
    ),
)
NAMES_TWICE = FindingKind(
    "filing.rulebook-names",
    Severity.ERROR,
    Text("Two rulebooks of one name", "规则册文件夹重名"),
    Text(
        "Two rulebooks that this one builds on stand in folders called {name}.",
        "所依托的两个规则册文件夹同名：{name}。",
    ),
    Text(
        "Rename one of the folders, and its name under builds_on.",
        "请为其中一个文件夹改名，并同步修改 builds_on。",
    ),
)
REPORT_NAME = FindingKind(
    "filing.report-name",
    Severity.ERROR,
    Text("Report's file name cannot be filed", "报告文件名不可用"),
    Text("“{name}” is no plain file name.", "“{name}”不是普通文件名。"),
    Text(
        "Give it a name of letters, digits, dots, hyphens and underscores.",
        "请改用字母、数字、点、连字符与下划线命名。",
    ),
)
REPORT_DIFFERS = FindingKind(
    "filing.report-differs",
    Severity.ERROR,
    Text("Report states another figure", "报告数值与申报数据不符"),
    Text(
        "{report}: {quantity} {period} is stated as {stated} {unit}; the filing's own facts give {computed} {unit}.",
        "{report}：{quantity} {period} 报告为 {stated} {unit}，而由所附数据得出 {computed} {unit}。",
    ),
    Text(
        "Do not rely on the report: it was changed after it was made, or made of other facts. Ask the sender for the report made with the "
        "filing (`celadon file --with`).",
        "请勿采信该报告：它在生成后被改动，或所用数据不同。请向发送方索取随申报生成的报告（`celadon file --with`）。",
    ),
)
REPORT_NOT_IN = FindingKind(
    "filing.report-not-in-it",
    Severity.ERROR,
    Text("Report is not part of the filing", "报告不属于该申报"),
    Text(
        "No report in {filing} has the SHA-256 of {report} ({digest}); it holds: {held}.",
        "{filing} 中没有与 {report} 的 SHA-256（{digest}）相同的报告；其中有：{held}。",
    ),
    Text(
        "Rely on the reports inside the filing, or ask the sender for the one that was filed.",
        "请以申报包内的报告为准，或向发送方索取已申报的报告。",
    ),
)
KEY_WITHDRAWN = FindingKind(
    "key.revoked",
    Severity.ERROR,
    Text("Key was withdrawn", "密钥已撤销"),
    Text("The key {name} was withdrawn at {at}: {reason}.", "密钥 {name} 已于 {at} 撤销：{reason}。"),
    Text(
        "Make another one: `celadon keys new NAME`, and sign with --key NAME.",
        "请用 `celadon keys new 名称` 另建密钥，并用 --key 名称 签名。",
    ),
)
KEY_ABSENT = FindingKind(
    "key.absent",
    Severity.ERROR,
    Text("No key to sign with", "没有签名密钥"),
    Text("There is no key “{name}” in {folder}.", "{folder} 中没有密钥“{name}”。"),
    Text(
        "`celadon keys new {name}` makes one; keep a copy of it where nobody else reads it.",
        "用 `celadon keys new {name}` 生成；请将副本保存在他人无法读取之处。",
    ),
)
KEY_EXISTS = FindingKind(
    "key.exists",
    Severity.ERROR,
    Text("Key exists", "密钥已存在"),
    Text(
        "There is a key “{name}” in {folder}: it was not replaced.", "{folder} 中已有密钥“{name}”：未替换。"
    ),
    Text("Use it, or give the new one another name.", "请使用该密钥，或为新密钥另取名称。"),
)
KEY_OPEN = FindingKind(
    "key.open",
    Severity.ERROR,
    Text("Key can be read by others", "密钥可被他人读取"),
    Text("Others than its owner may read {path}.", "{path} 可被所有者以外的人读取。"),
    Text(
        "`chmod 600` the file; if somebody may have read it, make a new key and publish that one.",
        "请对该文件执行 `chmod 600`；若可能已被他人读取，请生成并公布新密钥。",
    ),
)
KEY_UNREADABLE = FindingKind(
    "key.unreadable",
    Severity.ERROR,
    Text("Key cannot be read", "密钥无法读取"),
    Text("“{name}” is no key: {why}.", "“{name}”不是密钥：{why}。"),
    Text(
        "A verifier key is written name+id+base64, as `celadon keys` prints it; a private one is a PEM file that `celadon keys "
        "new` wrote.",
        "验证密钥写作 名称+编号+base64，见 `celadon keys` 的输出；私钥为 `celadon keys new` 写成的 PEM 文件。",
    ),
)

_KINDS = {
    kind.code: kind
    for kind in (
        UNREADABLE, UNSAFE_NAME, OVER_LIMIT, NOT_A_BAG, FILE_MISSING, FILE_UNLISTED, FILE_CHANGED, SIGNATURE, OTHER_KEY, CONTENT,
        CONSERVATION, SUM, LOG_PROOF, KEY_REVOKED,
    )
}  # fmt: skip


def of_problem(found: verifier.Problem, file: str) -> Finding:
    """What the small verifier found, as a finding about a file."""
    return _KINDS[found.code].at(Place(file=file, subject=found.values.get("path")), **found.values)
