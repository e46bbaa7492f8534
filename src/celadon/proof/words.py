"""What a filing says to whoever opens it."""

README = """\
This archive is a filing: a period of a plant, frozen under a rulebook and signed.
本归档为一份申报包：将一家工厂的某一期间按规则册冻结并签名。

  data/results.json            the figures, and by month      各项数值及分月数值
  data/request.json            what was asked, and of which versions      申报内容与版本
  data/facts/facts.parquet     the facts the figures are computed from      计算所依据的数据
  data/facts/readings.csv      per meter and month: first and last reading with file and line, and a digest
                               各计量点每月的首末读数、文件与行号及摘要
  data/facts/raw-*.parquet     where filed: the readings and records themselves      读数与台账原始数据（如有）
  data/facts/records.csv       records with file and line      台账记录及文件与行号
  data/facts/sources.csv       the files they were read from, with SHA-256      原始文件及其 SHA-256
  data/facts/conservation.csv  registers = attributed + gaps, in millionths of a unit
                               表计守恒：读数合计＝已归属＋缺口（单位的百万分之一）
  data/factors.csv             factor rows used, with source and clause      所用因子及来源与条款
  data/rulebooks/              the rulebooks as they were      当时的规则册
  data/plant.json              the plant as it was described      当时的工厂描述
  data/findings.json           what was found wrong or worth saying      发现的问题与提示
  data/report/                 reports, where any were filed with it      随附报告（如有）

To check it with nothing but Python (take verifier.py from somewhere you trust rather than from here):
仅用 Python 即可核验（verifier.py 请取自可信来源，而非本归档）：

    python verifier.py FILING.zip --key KEY

To compute every figure anew, with Celadon installed:
安装 Celadon 后，可由本文件重算每个数值：

    celadon verify FILING.zip --key KEY

The archive is a BagIt bag (RFC 8493) holding an RO-Crate 1.1 with W3C PROV; the signature is Ed25519 (RFC 8032).
本归档为 BagIt 包（RFC 8493），含 RO-Crate 1.1 与 W3C PROV；签名算法为 Ed25519（RFC 8032）。
"""
