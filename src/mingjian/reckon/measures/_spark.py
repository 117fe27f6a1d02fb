"""Reductions on Spark: the statements that DuckDB would run, compiled for Spark, over the same rows as Parquet files.

Nothing but compiled expressions reaches a cluster: no Python of a scheme, and none of ours. What they give is what DuckDB
gives, bit for bit, and depends on no setting of the cluster: numbers that overflow are errors, decimals are exact, texts are
compared by their bytes, and the clock is UTC.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from mingjian.base.errors import MingjianError, Misuse
from mingjian.record.evidence import Compiled, Engine, View

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_OUT_OF_RANGE: Final = "22003"  # the SQLSTATE of a number that its type does not hold

# What results depend on. Set for every view, whatever the cluster's own defaults say.
_EXACT: Final[Mapping[str, str]] = {
    "spark.sql.ansi.enabled": "true",  # what overflows is an error; else it would wrap, or be null
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",  # a product of decimals is exact or an error
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.variable.substitute": "false",  # else "${...}" in a text would be replaced
    "spark.sql.parser.escapedStringLiterals": "false",  # texts are written with backslashes escaped
}
# What nobody needs: pages that show each statement to whoever asks, and bars and warnings on the terminal.
_QUIET: Final[Mapping[str, str]] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
}
# DuckDB has this function; Spark has it under another name, and for a clock that is UTC.
_CLOCK: Final = (
    "CREATE TEMPORARY FUNCTION timezone(zone STRING, instant TIMESTAMP) RETURNS TIMESTAMP_NTZ"
    " RETURN from_utc_timestamp(instant, zone)"
)


class Spark:
    """A cluster by its master: ``local-cluster[2,1,1024]``, ``spark://host:7077``, ``yarn``. It is reached when it is needed.

    ``folder`` is where rows are laid out for the executors, which must find it under the same path. All else about the
    cluster is said where Spark looks for it (``SPARK_CONF_DIR``). Call it with a view to have its questions answered there.
    """

    def __init__(self, master: str, folder: Path) -> None:
        self._master, self._folder = master, folder

    def __call__(self, view: View) -> Engine:
        """The engine for a view. Raises Misuse where Spark or Java is missing, MingjianError where no cluster answers."""
        return _OnSpark(view, self._session.newSession(), self._folder)

    @cached_property
    def _session(self) -> SparkSession:
        _want_java()
        try:
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise Misuse(
                f"{self._master} cannot be reached: PySpark is not installed",
                remedy="pip install 'mingjian[spark]'",
            ) from error
        from py4j.protocol import Py4JError
        from pyspark.logger import PySparkLogger

        # Of what fails we tell once, in an error of our own.
        PySparkLogger.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
        builder = SparkSession.builder.appName("mingjian").master(self._master)
        for name, value in _QUIET.items():
            builder = builder.config(name, value)
        try:
            return builder.getOrCreate()
        except (PySparkException, Py4JError) as error:
            raise MingjianError(
                f"Spark does not start as {self._master}",
                why=_first_line(error),
                remedy="name a master that runs, as `spark-submit --master` takes it; it needs Java 17",
            ) from error


class _OnSpark:
    """A session of its own for one view: its tables, and the files that they are read from."""

    dialect: Final = "pyspark"

    def __init__(self, view: View, session: SparkSession, folder: Path) -> None:
        self._view, self._session = view, session
        for name, value in _EXACT.items():
            session.conf.set(name, value)
        session.sql(_CLOCK)
        folder.mkdir(parents=True, exist_ok=True)
        self._files = Path(mkdtemp(dir=folder))  # for its owner's eyes only
        self._laid: dict[str, pa.Table | None] = {}

    def compile(self, expression: Any) -> str:
        import ibis

        sql: str = ibis.pyspark.compile(expression.unbind())
        return sql

    def run(
        self, statement: Compiled, given: Mapping[str, pa.Table], among: tuple[str, Sequence[str]] | None
    ) -> pa.Table:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        for name in sorted(statement.tables):
            self._lay_out(name, given.get(name))
        try:
            rows = self._session.sql(statement.sql)
            if among is not None:
                rows = rows.where(rows[among[0]].isin(list(among[1])))
            return rows.toArrow()
        except (PySparkException, Py4JError) as error:
            if isinstance(error, PySparkException) and error.getSqlState() == _OUT_OF_RANGE:
                raise OverflowError(_first_line(error)) from error
            raise MingjianError(
                "Spark gave no answer", why=_first_line(error), remedy="see the logs of the cluster, and try again"
            ) from error

    def close(self) -> None:
        for name in self._laid:
            self._session.catalog.dropTempView(name)
        shutil.rmtree(self._files, ignore_errors=True)

    def _lay_out(self, name: str, given: pa.Table | None) -> None:
        """A table as a file that statements name: of the view's rows, or the one that is given."""
        from pyspark.sql.pandas.types import from_arrow_schema

        if name in self._laid and self._laid[name] is given:
            return
        reader = self._view.batches(name) if given is None else given.to_reader()
        file = self._files / f"{len(self._laid)}-{name}.parquet"
        with pq.ParquetWriter(file, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        read = self._session.read.schema(from_arrow_schema(reader.schema))
        read.parquet(file.absolute().as_uri()).createOrReplaceTempView(name)
        self._laid[name] = given


def _want_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin", "java").is_file() if home else shutil.which("java")):
        raise Misuse(
            "Spark needs Java, which is not there",
            why=f"JAVA_HOME is {home}" if home else "no java on the PATH, and no JAVA_HOME",
            remedy="install Java 17 (Debian: openjdk-17-jre-headless)",
        )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
