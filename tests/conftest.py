"""What holds for all tests."""

import os
import shutil
from collections.abc import Callable, Hashable, Iterator
from functools import wraps
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from hypothesis import settings

from mingjian.record.evidence import Compiled, Statements

settings.register_profile("house", deadline=None)  # how long an example takes says more of the machine than of the code
settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """What was compiled for one test is there for all others, as for the views of one projection: compiling takes longest."""
    kept, get = Statements(), Statements.get

    @wraps(get)
    def shared(_: Statements, key: Hashable, compile: Callable[[], Compiled]) -> Compiled:
        return get(kept, key, compile)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Statements, "get", shared)
        yield


@pytest.fixture(scope="session")
def claimed() -> Callable[..., str]:
    """Published figures as TOML: each (what is said, value, unit, the measure it is held against, its subject, its period)."""

    def claimed(**figures: tuple[str, int, str, str, str, str]) -> str:
        texts = ['[source.paper]\ntitle = "Paper"\npublisher = "P"\ndate = 2021-10-01\n']
        for name, (quote, value, unit, measure, subject, period) in figures.items():
            texts.append(f"""
                [claim.{name}]
                title = {{ en = "The figure {name}", zh = "数字 {name}" }}
                subject = "{subject}"
                source = "paper"
                quote = "{quote}"
                value = {value}
                unit = "{unit}"
                wording = "exactly"
                against = [{{ measure = "{measure}", subject = "{subject}", period = "{period}" }}]
            """)
        return "".join(texts)

    return claimed


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of a server on loopback that speaks S3 to everybody, with one bucket."""
    why = "blobs on S3 are tried where s3fs and moto are installed: pip install '.[dev]'"
    pytest.importorskip("s3fs", reason=why)
    server = pytest.importorskip("moto.server", reason=why).ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    with urlopen(Request(f"{url}/bucket", method="PUT")):
        yield url
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """``s3://bucket/prefix`` for one test, on that server, which the environment names as AWS has it."""
    environment = {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://bucket/{uuid4().hex}"


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """The URL of a PostgreSQL that is thrown away after the tests."""
    url = os.environ.get("MINGJIAN_TEST_POSTGRESQL", "")
    if not url:
        pytest.skip("PostgreSQL is tried where there is a server: tests/postgresql.sh .venv/bin/pytest")
    pytest.importorskip("psycopg", reason="PostgreSQL is tried where psycopg is installed: pip install '.[dev]'")
    return url


@pytest.fixture
def postgresql(postgresql_server: str) -> str:
    """The URL of an empty schema on that server, for one test."""
    import psycopg

    schema = f"test_{uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    return f"{postgresql_server}?options=-csearch_path%3D{schema}"


# Two executors, each a process of its own with one core: what they share with this one is files and the network.
MASTER = "local-cluster[2,1,1024]"
SPARK_DEFAULTS = """
spark.driver.memory 512m
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.sql.shuffle.partitions 2
spark.sql.adaptive.enabled false
spark.task.maxFailures 1
"""


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The master of a Spark on loopback, which starts where it is first asked, and ends with the tests.

    Only one worker has a Spark, and a second is refused: each run of `make tests` has one file whose tests use it, and gives
    files whole.
    """
    pytest.importorskip("pyspark", reason="Spark is tried where PySpark is installed: pip install '.[dev]'")
    if shutil.which("java") is None:
        pytest.skip("Spark is tried where there is Java 17 (Debian: apt-get install openjdk-17-jre-headless)")
    if "PYTEST_XDIST_WORKER" in os.environ:  # whose folder stands beside those of the other workers
        (tmp_path_factory.getbasetemp().parent / "spark-of-one-worker").mkdir()
    folder = tmp_path_factory.mktemp("spark")
    (folder / "spark-defaults.conf").write_text(SPARK_DEFAULTS)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("SPARK_CONF_DIR", str(folder)), ("SPARK_LOCAL_IP", "127.0.0.1")):
            patch.setenv(name, value)
        yield MASTER
        from pyspark.sql import SparkSession

        session = SparkSession.getActiveSession()
        if session is not None:
            session.stop()
