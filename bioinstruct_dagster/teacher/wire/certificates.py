"""Certificates: which authorities a server's certificate is checked against.

Belongs here: SSL_CERT_FILE and SSL_CERT_DIR, and refusing them in words. Does not: the error of a
certificate that is not trusted (connection_errors).
"""

import os
import re
import ssl
from pathlib import Path

from bioinstruct_dagster.teacher.errors import TeacherError

# OpenSSL finds a certificate in a folder by the hash of its subject.
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.\d+")


def tls_context() -> ssl.SSLContext:
    """The context of connections over TLS, with the authorities that the SDK trusts too.

    These are the authorities of SSL_CERT_FILE, or else of SSL_CERT_DIR, or else of the system.

    Raises:
        TeacherError: the variable that counts names no certificates.
    """
    import httpx2

    file, folder = (os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    if file:
        _check_file(Path(file))
    elif folder:
        _check_folder(Path(folder))
    return httpx2.create_ssl_context()


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise _refusal("SSL_CERT_FILE", path, "does not exist or is no file")
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise _refusal("SSL_CERT_FILE", path, "holds no certificate in the format PEM") from None
    except OSError as error:
        raise _refusal("SSL_CERT_FILE", path, f"can't be read ({error.strerror})") from None


def _check_folder(path: Path) -> None:
    try:
        names = [entry.name for entry in path.iterdir()]
    except OSError as error:
        raise _refusal("SSL_CERT_DIR", path, f"can't be listed ({error.strerror})") from None
    if not any(_HASHED_NAME.fullmatch(name) for name in names):
        raise _refusal(
            "SSL_CERT_DIR", path, "holds no certificate under the name that `openssl rehash` gives"
        )


def _refusal(variable: str, path: Path, fault: str) -> TeacherError:
    return TeacherError(
        f"{variable} names {path}, which {fault}. Set {variable} to the certificates of the "
        "authorities that you trust, or unset it to trust those of the system."
    )
