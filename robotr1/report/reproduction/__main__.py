"""Print how today's files compare with the committed run: `python -m robotr1.report.reproduction`."""

from robotr1.report.reproduction.committed import committed
from robotr1.report.reproduction.report import reproduction

print(reproduction(committed()), end="")
